import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { NOOP, sameCommand } from '@synod/paxos/internal/protocol/command'
import type { Command } from '@synod/paxos/internal/protocol/command'
import { Tail } from '@synod/paxos/internal/protocol/tail'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { command, showCommand } from '../../support/transcript.js'

const NONE = Infinity

/** A tail, and commands `c1`, `c2` … in slots 1, 2 …; each counts 50 or 51 bytes. */
function tail(tailCommands: number, tailBytes = 1 << 20) {
  const self = new Tail({ tailCommands, tailBytes })
  return {
    self,
    push: (count: number, held = NONE): void => {
      for (let i = 0; i < count; i++) self.push(command(`c${self.next}`), held)
    },
    /** What is there, by first and last slot; the commands are those of their slots. */
    there: (): string => {
      for (let slot = self.first; slot < self.next; slot++) {
        const found = self.at(slot)
        if (found === undefined || showCommand(found) !== `c${slot}`) return `slot ${slot} is not there`
      }
      return `${self.first}–${self.next - 1}`
    },
  }
}

t.test('empty, it begins with the slot that comes next', (t) => {
  const { self, push, there } = tail(10)
  t.strictSame([self.first, self.next], [1, 1])
  t.equal(self.at(1), undefined)
  push(3)
  t.equal(there(), '1–3')
  t.strictSame([self.at(0), self.at(4)], [undefined, undefined])
  t.end()
})

t.test('past so many commands the oldest go', (t) => {
  const { self, push, there } = tail(4)
  push(4)
  t.equal(there(), '1–4')
  push(3)
  t.equal(there(), '4–7')
  t.equal(self.at(3), undefined)
  t.end()
})

t.test('past so many bytes likewise, also all of them', (t) => {
  const { self, push, there } = tail(1000, 200)
  push(7)
  t.equal(there(), '4–7', 'four of 50 bytes')
  self.push({ kind: 'op', clientId: 'n', localId: 1, acked: 0, op: new Uint8Array(500) }, NONE)
  t.strictSame([self.first, self.next], [9, 9], 'one that is larger than all that may be kept is not kept')
  push(1)
  t.equal(there(), '9–9')
  t.end()
})

t.test('what is held is kept four times as long, and no longer', (t) => {
  const { push, there } = tail(4)
  push(6)
  t.equal(there(), '3–6')
  push(10, 5)
  t.equal(there(), '5–16', 'what lies before the held slots goes')
  push(4, 5)
  t.equal(there(), '5–20')
  push(1, 5)
  t.equal(there(), '6–21', '16 commands are the most')
  push(1)
  t.equal(there(), '19–22', 'nobody needs them any more')
  const bytes = tail(1000, 200)
  bytes.push(40, 1)
  t.equal(bytes.there(), '26–40', '800 bytes')
  t.end()
})

t.test('after a reset it goes on with another slot', (t) => {
  const { self, push, there } = tail(4)
  push(3)
  self.reset(101)
  t.strictSame([self.first, self.next], [101, 101])
  t.equal(self.at(3), undefined)
  push(5)
  t.equal(there(), '102–105')
  self.reset(7)
  push(4)
  t.equal(there(), '7–10', 'and its bounds are as ever')
  t.end()
})

t.test('it is what a list of the last commands would be, at random', (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const prng = new Prng(seed)
    const most = 1 + prng.below(3000)
    const { self, push, there } = tail(most)
    let [first, next] = [1, 1]
    for (let step = 0; step < 40; step++) {
      if (prng.chance(0.05)) self.reset((first = next = 1 + prng.below(100_000)))
      const count = prng.below(1500)
      push(count)
      next += count
      first = Math.max(first, next - most)
      if (self.first !== first || self.next !== next)
        t.fail(`seed ${seed}: ${self.first}–${self.next} for ${first}–${next}`)
    }
    t.match(there(), /–/, `seed ${seed}`)
  }
  t.end()
})

t.test('operations of every size, and what is none, come back as they were', (t) => {
  const prng = new Prng(5)
  const self = new Tail({ tailCommands: 500, tailBytes: 1 << 20 })
  const all: Command[] = [NOOP]
  for (let slot = 1; slot <= 3000; slot++) {
    const op = new Uint8Array(prng.chance(0.1) ? prng.below(5000) : prng.below(200)).fill(slot)
    const nonce = String(slot)
    const kinds: Command[] = [{ kind: 'open', nonce }, { kind: 'end', clientId: nonce }, { kind: 'mark', nonce }, NOOP]
    const other = kinds[prng.below(40)]
    all.push(other ?? { kind: 'op', clientId: `c${prng.below(5)}`, localId: slot, acked: prng.below(slot), op })
    self.push(all[slot] ?? NOOP, NONE)
  }
  for (let slot = self.first; slot < self.next; slot++) {
    const [found, put] = [self.at(slot), all[slot]]
    if (found === undefined || put === undefined || !sameCommand(found, put)) t.fail(`slot ${slot} is another`)
  }
  t.ok(self.next - self.first > 300, `${self.next - self.first} are there`)
  t.end()
})

t.test('a command that was taken from it stays as it was, whatever comes after it', (t) => {
  const self = new Tail({ tailCommands: 100, tailBytes: 1 << 20 })
  const taken: Command[] = []
  for (let slot = 1; slot <= 20_000; slot++) {
    self.push({ kind: 'op', clientId: 'c', localId: slot, acked: 0, op: new Uint8Array(900).fill(slot) }, NONE)
    if (slot % 250 === 0) taken.push(self.at(slot - 3) ?? NOOP)
  }
  t.equal(taken.length, 80)
  t.ok(taken.every((one) => one.kind === 'op' && one.op.every((byte) => byte === one.localId % 256)))
  t.end()
})

t.test('what it has dropped it lets go, however large that was', (t) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const self = new Tail({ tailCommands: 1000, tailBytes: 8 << 20 })
  const dropped: WeakRef<Uint8Array>[] = []
  for (let localId = 1; localId <= 100; localId++) {
    const op = new Uint8Array(1 << 20)
    dropped.push(new WeakRef(op))
    self.push({ kind: 'op', clientId: 'n', localId, acked: 0, op }, NONE)
  }
  setImmediate(() => {
    collect()
    const alive = dropped.filter((each) => each.deref() !== undefined).length
    t.ok(alive <= 20, `${alive} of 100 operations of 1 MiB are in memory, for 8 MiB that may be kept`)
    t.end()
  })
})
