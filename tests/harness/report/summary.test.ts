/** What a run prints at its end. */
import { summary } from '@synod/harness/internal/report/summary'
import { stripVTControlCharacters } from 'node:util'
import t from 'tap'
import { hostileReport } from './hostile.js'
import { sampleReport } from './sample.js'

t.test('a passed run is told in a few lines, of which the last is the verdict', (t) => {
  const report = sampleReport()
  t.equal(
    summary({ ...report, operations: { attempted: 1_234, ok: 1_200, fail: 30, info: 4 } }),
    `The leader dies, and dies again: kvstore, 3 servers, seed 42, 12 s
1,234 operations: 1,200 ok, 30 failed, 4 unknown
ok      linearizable  ${report.checks[0]?.detail}
ok      convergence   servers 0, 1, 2 are equal at slot 599
ok      expect        client 1 reads "c3-20" at key-7
ok      meaningful    ${report.checks[3]?.detail}
1 step not done:
  7 Set id: 2, key: "a", value: "b": server 2 is down
passed
`,
  )
  t.end()
})

t.test('a failed check is told with the part of the run that shows it', (t) => {
  const report = sampleReport({ failed: true })
  const [failed, ...others] = report.checks
  const window = { from: 7_737.25, to: 7_857 }
  const lines = summary({
    ...report,
    checks: [{ name: 'linearizable', ok: false, detail: 'it is not', window }, ...others],
  })
  t.match(lines, 'FAILED  linearizable  it is not\n                      from 7.737 s to 7.857 s\n')
  t.match(lines, '?       expect        could not be made: client 1 reads')
  t.match(lines, '12 s simulated in 300 ms')
  t.match(lines, /\nfailed: 1 check\n$/)
  t.match(summary({ ...report, checks: [failed, failed].flatMap((check) => check ?? []) }), /\nfailed: 2 checks\n$/)
  t.end()
})

t.test('a run that proved nothing is not taken for a passed one', (t) => {
  const report = { ...sampleReport(), ok: false, checks: [{ name: 'expect', ok: null, detail: 'no server is up' }] }
  t.match(summary(report), /\nfailed: 1 check could not be made\n$/)
  t.end()
})

t.test('of many steps that were not done some are told, the others counted', (t) => {
  const report = sampleReport()
  const steps = Array.from({ length: 1_005 }, (_, index) => ({
    number: index + 1,
    step: { type: 'Get', id: 1 } as const,
    from: index,
    to: index,
    notDone: 'client 1 is not connected',
  }))
  const lines = summary({ ...report, steps }).split('\n')
  t.strictSame(lines.slice(6, 7), ['1,005 steps not done:'])
  t.strictSame(lines.slice(11), ['  5 Get id: 1: client 1 is not connected', '  … and 1,000 more', 'passed', ''])
  t.end()
})

t.test('colours are for those who ask for them', (t) => {
  const report = sampleReport({ failed: true })
  t.notMatch(summary(report), '\u001b')
  const coloured = summary(report, true)
  t.match(coloured, '\u001b[31mFAILED\u001b[39m')
  t.equal(stripVTControlCharacters(coloured), summary(report), 'and change nothing else')
  t.end()
})

t.test('hostile texts cannot command the terminal, nor fill it', (t) => {
  const text = summary(hostileReport())
  t.notMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Bidi_Control}\p{Surrogate}]/u)
  t.ok(text.includes('\\u001b[31m'))
  t.ok(text.split('\n').every((line) => line.length < 1_000))
  t.end()
})
