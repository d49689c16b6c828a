/** Scenarios on real processes, by the command: the shared ones of the chatroom, and the most telling of the key-value store's. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Report } from '@synod/harness/internal/report/report'
import { parseHistory } from '@synod/harness/internal/history/jsonl'
import t from 'tap'
import { run } from '../support/command.js'

t.setTimeout(600_000)
t.jobs = 2

const harness = fileURLToPath(new URL('../../../packages/harness/bin/harness.js', import.meta.url))
const scenarios = fileURLToPath(new URL('../../scenarios/', import.meta.url))

const directory = mkdtempSync(join(tmpdir(), 'synod-scenarios-'))
t.teardown(() => {
  rmSync(directory, { recursive: true })
})

/** Plays a file with the command; its report. */
async function play(server: string, name: string): Promise<{ code: number | null; output: string; report: Report }> {
  const json = join(directory, `${name}.json`)
  const history = join(directory, `${name}.jsonl`)
  const file = join(scenarios, server, `${name}.json`)
  const args = ['--server', server, '--file', file, '--json', json, '--history', history]
  const { code, stdout, stderr } = await run(harness, args, { patience: 150_000 })
  return { code, output: stdout + stderr, report: JSON.parse(readFileSync(json, 'utf8')) as Report }
}

/** The messages that the last read of each client saw. */
function reads({ history }: Report): Map<string | number, unknown> {
  const answered = history.filter(({ f, type }) => f === 'read' && type === 'ok')
  return new Map(answered.map(({ process, value }) => [process, value]))
}

for (const [name, servers, reading, atLeast] of [
  ['basic', 1, 1, 1],
  ['functional', 3, 3, 3],
  ['recover', 3, 3, 2],
  ['safety', 5, 5, 2],
  ['arbitrary', 5, 3, 8],
  ['failures', 10, 6, 6],
  // Of ten servers on a machine that is busy one may be too slow for its client.
  ['flood', 10, 9, 9],
  ['stress', 10, 9, 40],
] as const) {
  t.test(`the shared scenario "${name}" holds on real chatroom servers`, async (t) => {
    const { code, output, report } = await play('chatroom', name)
    t.equal(code, 0, output)
    t.match(report, { ok: true, world: 'processes', scenario: { servers } })
    const seen = reads(report)
    seen.delete('final state')
    seen.delete('judge')
    t.ok(seen.size >= reading, `${seen.size} clients have read the log`)
    const posted = report.history.filter(({ f, type }) => f === 'append' && type === 'ok').length
    t.ok(posted >= atLeast, `${posted} messages were acknowledged`)
    t.ok(parseHistory(readFileSync(join(directory, `${name}.jsonl`), 'utf8')).events.length >= report.history.length)
  })
}

for (const name of ['edits-under-partition', 'presence', 'feeds-across-fail-over', 'chat-nemesis']) {
  t.test(`the scenario "${name}" holds on real chatroom servers`, async (t) => {
    const { code, output, report } = await play('chatroom', name)
    t.equal(code, 0, output)
    t.match(report.checks.find((check) => check.name === 'feeds')?.detail, /subscribers? heard [1-9]/)
  })
}

for (const name of [
  'kv-basics',
  'leader-dies',
  'transfer',
  'broken-connections',
  'all-die-at-once',
  'minority-cannot-write',
  'halves',
  'constrained',
  'lossy-network',
  'leader-paused',
  'paused-leader-with-a-lease',
  'fsync-fails',
  'disk-full',
  'bit-flip',
  'wiped',
  'clocks',
  'snapshot-and-collect',
  'lagging-server-catches-up-by-snapshot',
  'wiped-and-repaired',
  'flipped-bit-refused-then-repaired',
  'bad-snapshot-is-fetched-again',
  'rolling-repair',
  'crash-amid-installation',
  'repair-nemesis',
]) {
  t.test(`the scenario "${name}" holds on real key-value servers`, async (t) => {
    const { code, output, report } = await play('kvstore', name)
    t.equal(code, 0, output)
    const undone = report.steps.filter(({ notDone, step }) => notDone !== null && step.type !== 'Resume')
    t.strictSame(undone, [], 'every step was done')
  })
}

t.test("a service of one's own is played by its command, and judged by its own state class", async (t) => {
  const support = fileURLToPath(new URL('../support/', import.meta.url))
  const pay = (amount: number): object => ({ type: 'Submit', id: 0, op: { type: 'pay', amount }, wait: true })
  const steps = [
    { type: 'Start', count: 3 },
    { type: 'Wait', for: 'serving' },
    { type: 'Connect', id: 0 },
    { type: 'Connect', id: 1 },
    { type: 'Subscribe', id: 'a', from: 1 },
    pay(3),
    pay(9),
    { type: 'Expect', id: 0, error: 'POOR' },
    { type: 'Crash', id: 2 },
    pay(7),
    { type: 'Submit', id: 1, op: { type: 'balance' } },
    { type: 'Start', id: 2 },
  ]
  const file = join(directory, 'account.json')
  writeFileSync(file, JSON.stringify(steps))
  const server = ['--server', join(support, 'account-server.js'), '--file', file]
  const judged = await run(harness, [...server, '--service', join(support, 'account.js')])
  t.equal(judged.code, 0, judged.stdout + judged.stderr)
  t.match(judged.stdout, /^ok +linearizable/m)
  t.match(judged.stdout, /^ok +feeds +the judge and 1 subscriber heard /m)
  t.match(judged.stdout, /4 operations: 4 ok/)
  const simulated = await run(harness, ['simulate', '--service', join(support, 'account.js'), '--file', file])
  t.equal(simulated.code, 0, simulated.stdout + simulated.stderr)
  t.match(simulated.stdout, /^ok +linearizable/m)
  const unknown = await run(harness, server)
  t.equal(unknown.code, 0, unknown.stdout + unknown.stderr)
  t.match(unknown.stdout, /^ok +feeds +the judge and 1 subscriber heard /m)
  t.match(
    unknown.stdout,
    /linearizable +could not be made: what account-server.js should answer is not known: give its service with --service/,
  )
})
