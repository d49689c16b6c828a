/** A minute of soaking: memory and disk stay flat though many times what the servers hold is written. */
import { fileURLToPath } from 'node:url'
import type { SoakResult } from '@synod/harness/internal/soak/verdict'
import t from 'tap'
import { run } from '../../support/command.js'

t.setTimeout(240_000)

const harness = fileURLToPath(new URL('../../../../packages/harness/bin/harness.js', import.meta.url))

t.test(
  'a cluster that is overwritten for a minute, with a server down now and then, stays flat and loses nothing',
  async (t) => {
    // Values of 16,000 bytes: so the logs are collected several times in a minute.
    const sizes = '--keys 500 --value-size 16000 --outstanding 32 --rate 300 --sessions 1200 --gc'.split(' ')
    const { code, stdout, stderr } = await run(harness, ['soak', '--seconds', '60', ...sizes, '--json'], {
      patience: 200_000,
    })
    t.equal(code, 0, stdout + stderr)
    const result = JSON.parse(stdout) as SoakResult
    t.match(result, { ok: true, problems: [] })
    for (const { id, memory, disk } of result.servers) t.ok(memory.max > 0 && disk.max > 0, `server ${id} was measured`)
    t.ok(result.acknowledged > 500, `${result.acknowledged} sets were acknowledged`)
    t.ok(result.outages >= 3)
    t.ok(result.sessions > 300)
    t.match(stderr, /server 2 is down/)
  },
)

t.test('what makes no sense is told in a sentence', async (t) => {
  const { code, stderr } = await run(harness, ['soak', '--seconds', '0'])
  t.equal(code, 2)
  t.equal(stderr, 'harness: --seconds must be 1 at least\n')
})
