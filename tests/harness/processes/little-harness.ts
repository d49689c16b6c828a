/** A harness that comes to grief: starts three servers, pauses one, says that it is ready, and throws when it is spoken to. */
import { kvstore } from '@synod/kvstore'
import { ProcessWorld } from '@synod/harness/internal/processes/process-world'

const world = await ProcessWorld.prepare({ command: 'kvstore', service: kvstore, servers: 3, seed: 1, verbosity: 0 })
await Promise.all([0, 1, 2].map((id) => world.server(id).start()))
await world.client([0, 1, 2]).submit({ type: 'set', key: 'a', value: '1' }, 20_000)
await world.server(2).pause()
process.stdout.write('ready\n')
process.stdin.once('data', () => {
  throw new Error('a bug in the harness')
})
