/** `chatroom-client verify` and `transfer` against real servers. */
import { join } from 'node:path'
import t from 'tap'
import { run, type Outcome } from '../support/command.js'
import { hex } from './room.js'
import { ChatServers, COMMANDS } from './servers.js'

t.setTimeout(120_000)
const servers = await ChatServers.start(t)
const ada = servers.client(t)
const client = (...args: string[]): Promise<Outcome> => run(join(COMMANDS, 'chatroom-client.js'), args)

t.test('verify compares all servers, whichever are named; one that missed a lot is the same afterwards', async (t) => {
  const own = { room: 'tea', key: hex('ada') }
  await ada.join('tea', 'ada')
  await ada.post({ ...own, author: 'ada', text: 'one' })
  await servers.kill(2)
  await ada.post({ ...own, author: 'ada', text: 'two' })
  await ada.edit({ ...own, number: 1, text: 'first' })
  await ada.delete({ ...own, number: 2 })
  await servers.restart(2)
  const { code, stdout, stderr } = await client('--servers', servers.addresses[1] ?? '', 'verify')
  t.strictSame([code, stderr], [0, ''], stdout)
  t.match(stdout, /│ id │ address +│ verdict │ history +│ state +│ entries │/)
  for (const address of servers.addresses)
    t.match(stdout, new RegExp(`${address}.*same.*[0-9a-f]{16}.*[0-9a-f]{16}.* 4 `), 'a room, two messages, somebody')
  t.match(stdout, /\nAll 3 servers agree at slot [\d,]+\.\n$/)
})

t.test('transfer has another server lead', async (t) => {
  for (const id of ['1', '2'])
    t.strictSame(await client('--servers', servers.addresses[0] ?? '', 'transfer', id), {
      code: 0,
      stdout: `server ${id} leads\n`,
      stderr: '',
    })
})

t.test('verify ends with 1 if a server is missing, and tells machines which', async (t) => {
  await servers.kill(2)
  const { code, stdout } = await client('--servers', servers.from(0), '--timeout', '5000', '--json', 'verify')
  t.equal(code, 1)
  const silent = { server: null, address: servers.addresses[2], verdict: 'unknown', digest: null, error: String }
  t.match(JSON.parse(stdout), {
    agree: false,
    difference: null,
    servers: [{ server: 0, verdict: 'same', digest: { entries: 4 } }, { server: 1, verdict: 'same' }, silent],
  })
})

t.test('without a majority verify ends with 3', async (t) => {
  await servers.kill(2)
  await servers.kill(1)
  const { code, stdout, stderr } = await client('--servers', servers.from(0), '--timeout', '2000', 'verify')
  t.strictSame([code, stdout], [3, ''])
  t.match(stderr, /^chatroom-client: no server could have a mark decided in time .*\n$/)
})
