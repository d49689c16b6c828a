import { Slab } from '@synod/paxos/internal/protocol/slab'
import t from 'tap'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

t.test('pieces stand in it as they were when they were added', (t) => {
  const slab = new Slab(8)
  const piece = bytes(1, 2, 3)
  slab.push(piece)
  piece.fill(9)
  slab.push(bytes())
  slab.push(bytes(4, 5))
  t.equal(slab.count, 3)
  t.strictSame(
    [0, 1, 2].map((index) => [...slab.at(index)]),
    [[1, 2, 3], [], [4, 5]],
  )
  t.strictSame(
    [0, 1, 2].map((index) => slab.lengthOf(index)),
    [3, 0, 2],
  )
  t.ok(slab.fits(3))
  t.notOk(slab.fits(4))
  t.end()
})

t.test('it can be filled again, unless somebody has a view of it', (t) => {
  const slab = new Slab(4)
  for (let round = 1; round <= 3; round++) {
    slab.push(bytes(round, round, round))
    t.notOk(slab.fits(2))
    t.equal(slab.lengthOf(0), 3)
    t.ok(slab.clear())
    t.equal(slab.count, 0)
    t.ok(slab.fits(4))
  }
  slab.push(bytes(7))
  const view = slab.at(0)
  t.notOk(slab.clear())
  t.strictSame([slab.count, ...view], [1, 7])
  const lent = new Slab(4)
  lent.lend()
  t.notOk(lent.clear())
  t.end()
})
