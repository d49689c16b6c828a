import t from 'tap'
import { Fifo } from '@synod/paxos/internal/protocol/fifo'
import { Prng } from '@synod/paxos/internal/protocol/prng'

t.test('what came first is taken first, and no more than there is', (t) => {
  const fifo = new Fifo<string>()
  t.strictSame(fifo.take(3), [])
  for (const item of ['a', 'b', 'c', 'd', 'e']) fifo.push(item)
  t.strictSame(fifo.take(0), [])
  t.strictSame(fifo.take(2), ['a', 'b'])
  t.equal(fifo.at(0), 'c', 'places are counted from the oldest that is left')
  t.equal(fifo.at(3), undefined)
  t.strictSame(fifo.take(9), ['c', 'd', 'e'])
  t.equal(fifo.length, 0)
  t.end()
})

t.test('it does as a plain array does', (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const prng = new Prng(seed)
    const fifo = new Fifo<number>()
    const model: number[] = []
    const taken: number[][] = []
    const expected: number[][] = []
    for (let round = 0; round < 2000; round++) {
      if (prng.chance(0.005)) {
        fifo.clear()
        model.length = 0
      } else if (prng.chance(0.6)) {
        for (let count = prng.below(4); count > 0; count--) {
          fifo.push(round * 10 + count)
          model.push(round * 10 + count)
        }
      } else {
        const count = prng.below(prng.chance(0.1) ? 50 : 4)
        taken.push(fifo.take(count))
        expected.push(model.splice(0, count))
      }
      const place = prng.below(model.length + 2)
      if (fifo.length !== model.length) t.equal(fifo.length, model.length, `round ${round} of seed ${seed}`)
      if (fifo.at(place) !== model[place]) t.equal(fifo.at(place), model[place], `place ${place} in round ${round}`)
    }
    t.strictSame(taken, expected, `seed ${seed}`)
  }
  t.end()
})
