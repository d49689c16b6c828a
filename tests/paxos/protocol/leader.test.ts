import t from 'tap'
import type { Command } from '@synod/paxos/internal/protocol/command'
import type { Limits } from '@synod/paxos/internal/protocol/config'
import { Leader } from '@synod/paxos/internal/protocol/leader'
import { ballot, broken, command, commands, config, showBallot, showRun } from '../../support/transcript.js'

/** Server 0's leader, and a queue of new commands for it. */
function leader(limits: Partial<Limits> = {}, count = 3) {
  const self = new Leader(config(0, count, { limits, start: 7 }))
  const queue: Command[] = []
  return {
    self,
    scout: (above = '0.0') => showBallot(self.scout(ballot(above))),
    adopted: (proposals: Record<number, string>, decided = 1, collected = 0): void => {
      const map = new Map(Object.entries(proposals).map(([slot, text]) => [Number(slot), command(text)]))
      self.adopted({ proposals: map, decided, decidedBy: 1, collected })
    },
    activate: (slotOut: number, now = 0): boolean => self.activate(slotOut, now),
    offer: (text: string) => queue.push(...commands(text)),
    /** The next run, as text. */
    propose: (slotOut: number): string | undefined => {
      const run = self.propose(slotOut, (most) => queue.splice(0, most))
      return run && showRun(run)
    },
  }
}

t.test('its ballot is above all that it is told of and all that it used, and bears its start', (t) => {
  const { scout } = leader()
  t.equal(scout(), '1.0+7')
  t.equal(scout('4.2'), '5.0+7')
  t.equal(scout('2.1'), '6.0+7')
  t.end()
})

t.test('it proposes nothing before it is adopted and its replica has caught up', (t) => {
  const { self, scout, adopted, activate, offer, propose } = leader()
  offer('a')
  t.equal(propose(1), undefined, 'passive')
  scout()
  t.equal(propose(1), undefined, 'scouting')
  t.equal(activate(9), false)
  adopted({}, 4)
  t.equal(activate(3), false)
  t.equal(propose(3), undefined, 'catching up')
  t.equal(activate(4), true)
  t.equal(activate(4), false, 'active already')
  t.equal(propose(4), '1.0+7 slot 4: a')
  self.retire()
  offer('b')
  t.equal(propose(5), undefined, 'passive again')
  t.end()
})

t.test('what may have been chosen comes first, no-ops fill the holes, and new commands come behind', (t) => {
  const { scout, adopted, activate, offer, propose } = leader({ runCommands: 3 })
  scout()
  adopted({ 1: 'old', 2: 'b', 5: 'e', 6: 'f' }, 2)
  activate(2)
  offer('x, y')
  t.equal(propose(2), '1.0+7 slots 2–4: b, noop, noop', 'slot 1 is decided')
  t.equal(propose(2), '1.0+7 slots 5–6: e, f')
  t.equal(propose(2), '1.0+7 slots 7–8: x, y')
  t.equal(propose(2), undefined)
  t.end()
})

t.test('R5: nothing is proposed at or above slotOut + window, neither again nor new', (t) => {
  const { scout, adopted, activate, offer, propose } = leader({ window: 4 })
  scout()
  adopted({ 1: 'a', 6: 'f' })
  activate(1)
  offer('x, y, z, w')
  t.equal(propose(1), '1.0+7 slots 1–4: a, noop, noop, noop')
  t.equal(propose(1), undefined, 'the window is full')
  t.equal(propose(2), '1.0+7 slot 5: noop')
  t.equal(propose(4), '1.0+7 slot 6: f', 'the rest of what is proposed again')
  t.equal(propose(4), '1.0+7 slot 7: x')
  t.equal(propose(4), undefined)
  t.equal(propose(8), '1.0+7 slots 8–10: y, z, w')
  t.end()
})

t.test('R5: a run that leaves the window breaks it', (t) => {
  const { self, scout, adopted, activate } = leader({ window: 4 })
  scout()
  adopted({})
  activate(1)
  t.throws(() => self.propose(1, () => commands('a, b, c, d, e')), broken('R5'))
  t.end()
})

t.test('decisions of a former leader may overtake it: it goes on behind them', (t) => {
  const { scout, adopted, activate, offer, propose } = leader({ runCommands: 1 })
  scout()
  adopted({ 1: 'a', 2: 'b', 3: 'c', 4: 'd' })
  activate(1)
  offer('x')
  t.equal(propose(1), '1.0+7 slot 1: a')
  t.equal(propose(4), '1.0+7 slot 4: d')
  t.equal(propose(7), '1.0+7 slot 7: x')
  t.end()
})

t.test('what is proposed again is cut into runs by bytes', (t) => {
  const { scout, adopted, activate, propose } = leader({ runBytes: 100 })
  scout()
  adopted({ 1: 'a', 2: 'b', 3: 'c' })
  activate(1)
  t.equal(propose(1), '1.0+7 slots 1–2: a, b')
  t.equal(propose(1), '1.0+7 slot 3: c')
  t.end()
})

t.test('a higher ballot preempts it unless it is passive; its own or a lower one does not', (t) => {
  const { self, scout, adopted } = leader()
  t.equal(self.isPreemptedBy(ballot('9.9')), false)
  scout()
  const preempting = (): boolean[] =>
    ['0.2', '1.0+7', '1.0+8', '1.1', '2.0'].map((at) => self.isPreemptedBy(ballot(at)))
  t.strictSame(preempting(), [false, false, true, true, true])
  adopted({})
  t.strictSame(preempting(), [false, false, true, true, true])
  self.retire()
  t.equal(self.isPreemptedBy(ballot('9.9')), false)
  t.end()
})

t.test('it is in touch while a majority, itself included, answered within the time since it began to propose', (t) => {
  for (const [count, others] of [
    [1, 0],
    [3, 1],
    [4, 2],
    [5, 2],
  ] as const) {
    const { self, scout, adopted, activate } = leader({}, count)
    scout()
    adopted({}, 9)
    activate(9, 300)
    t.equal(self.inTouch(800, 500), true, 'all are given time to answer, however long it was catching up')
    for (let server = 1; server < others; server++) self.heardFrom(server, 9, 1000)
    if (others > 0) {
      t.equal(self.inTouch(1000, 500), false, `${others - 1} others of ${count}`)
      self.heardFrom(others, 9, 1000)
    }
    t.equal(self.inTouch(1500, 500), true, `${others} others of ${count}`)
    t.equal(self.inTouch(1501, 500), count === 1)
  }
  t.end()
})

t.test('C1: a heartbeat without leading breaks it', (t) => {
  const { self, scout, adopted } = leader()
  t.throws(() => self.nextSequence(), broken('C1'))
  scout()
  adopted({})
  t.strictSame([self.nextSequence(), self.nextSequence()], [1, 2])
  scout()
  adopted({})
  t.equal(self.nextSequence(), 1, 'it counts within a ballot')
  t.end()
})

t.test('A3: it proposes nothing that a member of its quorum has collected', (t) => {
  const { scout, adopted, activate, offer, propose } = leader()
  scout()
  adopted({}, 4, 7)
  activate(4)
  offer('x')
  t.throws(() => propose(4), broken('A3'))
  adopted({}, 8, 7)
  activate(8)
  offer('x')
  t.equal(propose(8), '1.0+7 slot 8: x')
  t.end()
})

t.test('active, it knows how far each server is, as far as that one told', (t) => {
  const { self, scout, adopted, activate } = leader()
  t.strictSame(self.reached(3), [], 'passive')
  scout()
  self.heardFrom(1, 9, 0)
  adopted({}, 4)
  t.strictSame(self.reached(3), [], 'catching up')
  activate(4)
  t.strictSame(self.reached(3), [3, null, null], 'what it was told before may be from long ago')
  self.heardFrom(2, 3, 10)
  self.heardFrom(2, 4, 11)
  t.strictSame(self.reached(6), [6, null, 3])
  self.retire()
  t.strictSame(self.reached(6), [])
  t.end()
})
