/** The bench of the log's life, with little in it: that it runs, and that what it takes out of a server for comparison is there. */
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { run } from '../../support/command.js'
import type { Outcome } from '../../support/command.js'

t.setTimeout(240_000)

const harness = fileURLToPath(new URL('../../../../packages/harness/bin/harness.js', import.meta.url))

function life(...args: string[]): Promise<Outcome> {
  return run(harness, ['bench', 'life', ...args], { patience: 200_000 })
}

t.test('it tells of pauses and of the audit, in numbers', async (t) => {
  const small = ['--keys', '2000', '--seconds', '1', '--rounds', '1', '--json']
  const { code, stdout, stderr } = await life('--parts', 'pauses,audit', ...small)
  t.equal(code, 0, stdout + stderr)
  const parts = JSON.parse(stdout) as { title: string; data: unknown }[]
  t.match(
    parts.map(({ title }) => title),
    [/^Event loop delay/, /^The audit/],
  )
  const [windows, runs] = parts.map(({ data }) => data as readonly unknown[])
  t.match(windows, [
    { round: 1, snapshots: false, delays: [{ p999: Number }, { p999: Number }, { p999: Number }] },
    { round: 1, snapshots: true, delays: [{ p999: Number }, { p999: Number }, { p999: Number }] },
  ])
  t.equal(runs?.length, 4, 'two rounds, with the chain and without')
  t.match(runs, Array(4).fill({ rate: Number, cpu: Number }))
})

t.test('a part that is not there is refused', async (t) => {
  const { code, stderr } = await life('--parts', 'nothing')
  t.equal(code, 2)
  t.match(stderr, /Parts are pauses, catch-up, restart, audit\./)
})
