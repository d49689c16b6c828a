import t from 'tap'
import { clip, RunLog } from '@synod/paxos/internal/protocol/run-log'
import { run, showRun } from '../../support/transcript.js'

function show(log: RunLog, from = 1): string[] {
  return log.from(from).map(showRun)
}

t.test('runs lie in slot order, and holes between them stay holes', (t) => {
  const log = new RunLog()
  log.put(run('1.0', 1, 'a, b'))
  log.put(run('1.0', 5, 'e'))
  log.put(run('1.0', 3, 'c'))
  t.strictSame(show(log), ['1.0 slots 1–2: a, b', '1.0 slot 3: c', '1.0 slot 5: e'])
  t.equal(log.find(4), undefined)
  t.equal(log.find(6), undefined)
  t.equal(log.find(2)?.first, 1)
  t.strictSame(show(log, 2), ['1.0 slots 1–2: a, b', '1.0 slot 3: c', '1.0 slot 5: e'], 'the first may begin below')
  t.strictSame(show(log, 4), ['1.0 slot 5: e'])
  t.end()
})

t.test('a newer run replaces what it overlaps, and leaves the rest of the older ones', (t) => {
  const cases: [string, number, string, string[]][] = [
    ['within', 3, 'x', ['1.0 slots 1–2: a, b', '2.1 slot 3: x', '1.0 slots 4–5: d, e', '1.0 slots 6–7: f, g']],
    ['over the seam', 5, 'x, y', ['1.0 slots 1–4: a, b, c, d', '2.1 slots 5–6: x, y', '1.0 slot 7: g']],
    ['over all', 1, 'p, q, r, s, t, u, v, w', ['2.1 slots 1–8: p, q, r, s, t, u, v, w']],
    ['the beginning', 1, 'x', ['2.1 slot 1: x', '1.0 slots 2–5: b, c, d, e', '1.0 slots 6–7: f, g']],
    ['the end', 7, 'x, y', ['1.0 slots 1–5: a, b, c, d, e', '1.0 slot 6: f', '2.1 slots 7–8: x, y']],
  ]
  for (const [where, first, commands, expected] of cases) {
    const log = new RunLog()
    log.put(run('1.0', 1, 'a, b, c, d, e'))
    log.put(run('1.0', 6, 'f, g'))
    log.put(run('2.1', first, commands))
    t.strictSame(show(log), expected, where)
  }
  t.end()
})

t.test('what lies below a slot is forgotten run by run, also when it is much', (t) => {
  const log = new RunLog()
  for (let first = 1; first <= 1000; first += 2) log.put(run('1.0', first, 'a, b'))
  log.trim(400)
  t.equal(log.find(398), undefined)
  t.equal(log.find(399)?.first, 399, 'a run that reaches above stays whole')
  t.equal(show(log).length, 301)
  log.trim(5000)
  t.strictSame(show(log), [])
  log.put(run('2.0', 3, 'x'))
  t.strictSame(show(log), ['2.0 slot 3: x'], 'a trimmed log takes a run at any place')
  t.end()
})

t.test('clip cuts a run at both ends', (t) => {
  const whole = run('1.0', 4, 'a, b, c, d')
  t.equal(clip(whole, 1, 9), whole)
  t.equal(showRun(clip(whole, 5, 6)), '1.0 slots 5–6: b, c')
  t.equal(showRun(clip(whole, 7, 9)), '1.0 slot 7: d')
  t.end()
})
