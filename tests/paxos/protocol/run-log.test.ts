import t from 'tap'
import type { Test } from 'tap'
import type { Slot } from '@synod/paxos/internal/protocol/command'
import { commandBytes } from '@synod/paxos/internal/protocol/command'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { clip, RunLog } from '@synod/paxos/internal/protocol/run-log'
import { run, showBallot, showCommand, showRun } from '../../support/transcript.js'

function show(log: RunLog, from = 1): string[] {
  return Array.from(log.from(from), showRun)
}

/** What each slot from `from` on holds, `2.1 x`; fails if the runs are not in slot order, or overlap. */
function slotsOf(log: RunLog, from: Slot): Map<Slot, string> {
  const slots = new Map<Slot, string>()
  let next = 1
  for (const { ballot, first, commands } of log.from(from)) {
    if (first < next || commands.length === 0) throw new Error(`a run of ${commands.length} from ${first}, not ${next}`)
    next = first + commands.length
    for (const [index, command] of commands.entries()) {
      if (first + index >= from) slots.set(first + index, `${showBallot(ballot)} ${showCommand(command)}`)
    }
  }
  return slots
}

/** Runs of mostly one slot, many over each other, and now and then the lower slots are forgotten: as a plain map does it. */
function againstMap(t: Test, seed: number): void {
  const prng = new Prng(seed)
  const log = new RunLog()
  const model = new Map<Slot, string>()
  let kept = 1
  for (let round = 1; round <= 1000; round++) {
    const first = kept + prng.below(100)
    const names = Array.from({ length: prng.chance(0.8) ? 1 : 1 + prng.below(30) }, (_, index) => `c${round}-${index}`)
    log.put(run(`${round}.0`, first, names.join(', ')))
    for (const [index, name] of names.entries()) model.set(first + index, `${round}.0 ${name}`)
    if (prng.chance(0.02)) {
      kept += prng.below(40)
      log.trim(kept)
      for (const slot of model.keys()) if (slot < kept) model.delete(slot)
    }
    const probe = kept + prng.below(130)
    const found = log.find(probe)
    const held = found && `${showBallot(found.ballot)} ${showRun(clip(found, probe, probe)).replace(/.*: /, '')}`
    if (held !== model.get(probe)) t.equal(held, model.get(probe), `slot ${probe} in round ${round} of seed ${seed}`)
    if (round % 50 > 0) continue
    const expected = [...model].filter(([slot]) => slot >= probe).sort(([a], [b]) => a - b)
    t.strictSame([...slotsOf(log, probe)], expected, `from slot ${probe} on in round ${round} of seed ${seed}`)
  }
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

t.test('it holds what a map would hold, whatever overlaps and is forgotten', (t) => {
  for (let seed = 1; seed <= 20; seed++) againstMap(t, seed)
  t.end()
})

t.test('one run takes the place of many, and many take the place of one', (t) => {
  const slots = Array.from({ length: 1000 }, (_, index) => index + 1)
  const log = new RunLog()
  for (const slot of slots) log.put(run('1.0', slot, 'a'))
  log.put(
    run(
      '2.0',
      201,
      slots
        .slice(200, 800)
        .map(() => 'b')
        .join(', '),
    ),
  )
  t.equal(show(log).length, 401)
  t.equal(log.find(200)?.ballot.round, 1)
  t.equal(log.find(201), log.find(800))
  t.equal(log.find(801)?.ballot.round, 1)
  for (const slot of slots) log.put(run('3.0', slot, `x${slot}`))
  t.strictSame(
    show(log),
    slots.map((slot) => `3.0 slot ${slot}: x${slot}`),
  )
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

t.test('it knows how many bytes it holds, whatever was replaced, cut or forgotten', (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const prng = new Prng(seed)
    const log = new RunLog()
    let below = 1
    for (let round = 1; round <= 200; round++) {
      const list = Array.from({ length: 1 + prng.below(6) }, () => 'x'.repeat(1 + prng.below(9)))
      log.put(run(`${round}.0`, below + prng.below(30), list.join(', ')))
      if (prng.chance(0.1)) log.trim((below += prng.below(20)))
      let bytes = 0
      for (const { commands } of log.from(1)) for (const command of commands) bytes += commandBytes(command)
      if (log.bytes !== bytes) t.fail(`seed ${seed}, round ${round}: ${log.bytes} for ${bytes}`)
    }
    log.trim(1e6)
    t.equal(log.bytes, 0)
  }
  t.end()
})

t.test('clip cuts a run at both ends', (t) => {
  const whole = run('1.0', 4, 'a, b, c, d')
  t.equal(clip(whole, 1, 9), whole)
  t.equal(showRun(clip(whole, 5, 6)), '1.0 slots 5–6: b, c')
  t.equal(showRun(clip(whole, 7, 9)), '1.0 slot 7: d')
  t.end()
})
