import { inPieces } from '@synod/paxos'
import { Dump } from '@synod/paxos/internal/server/dump'
import { decodeServerFrame } from '@synod/paxos/internal/transport/codec'
import t from 'tap'

function* pairs(count: number, yielded: { count: number }): Iterable<unknown> {
  for (let at = 0; at < count; at++) {
    yielded.count++
    yield [`key ${at}`, 'x'.repeat(100)]
  }
}

/** All that comes. */
function drained(dump: Dump): { entries: number; frames: number } {
  let [entries, frames] = [0, 0]
  for (let last = false; !last; frames++) {
    t.equal(dump.done, false)
    const frame = decodeServerFrame(dump.next(frames))
    if (frame.type !== 'dump') throw new Error(`a frame ${frame.type}`)
    t.equal(frame.slot, 9)
    entries += frame.entries.length
    last = frame.done
  }
  t.equal(dump.done, true)
  t.equal(dump.usedAt, frames - 1)
  t.throws(() => dump.next(0), RangeError)
  return { entries, frames }
}

t.test('entries in pieces are read as they are asked for', (t) => {
  const yielded = { count: 0 }
  const dump = new Dump(9, inPieces(pairs(10_000, yielded)), 0)
  t.ok(yielded.count < 3_000, `${yielded.count} at first`)
  const { entries, frames } = drained(dump)
  t.equal(entries, 10_000)
  t.ok(frames > 3)
  t.end()
})

t.test('any other entries are read at once, and come the same way', (t) => {
  const yielded = { count: 0 }
  const dump = new Dump(9, pairs(10_000, yielded), 0)
  t.equal(yielded.count, 10_000)
  t.equal(drained(dump).entries, 10_000)
  t.strictSame(drained(new Dump(9, [], 0)), { entries: 0, frames: 1 }, 'nothing is a frame, too')
  t.strictSame(drained(new Dump(9, inPieces([]), 0)), { entries: 0, frames: 1 })
  t.end()
})

t.test('what cannot be sent is an error when its frame is made', (t) => {
  t.throws(() => new Dump(9, [Symbol('no')], 0))
  const dump = new Dump(9, inPieces(['x'.repeat(300_000), 'y'.repeat(300_000), Symbol('no')]), 0)
  t.equal(decodeServerFrame(dump.next(1)).type, 'dump')
  t.throws(() => dump.next(2))
  t.end()
})
