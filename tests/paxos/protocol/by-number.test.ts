/** A map by numbers of a session does as a `Map` does, wherever the numbers lie. */
import { ByNumber } from '@synod/paxos/internal/protocol/by-number'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import t from 'tap'

/** Where the numbers lie of which one is drawn; `at` moves up as steps are made. */
const AREAS: Record<string, (prng: Prng, at: number) => number> = {
  'a few': (prng) => prng.below(6),
  'a window that moves up': (prng, at) => at + prng.below(200),
  'a wide window that moves up': (prng, at) => at * 7 + prng.below(4096),
  'numbers beyond 32 bits': (prng, at) => 2 ** 40 + at + prng.below(300),
  'far apart, though in the same place': (prng) => 5 + 8192 * prng.below(30),
  'alike in their lowest 40 bits': (prng) => 7 + 2 ** 40 * prng.below(20),
  'anywhere below 2 to the 53': (prng) => prng.below(40) * (2 ** 47 - 1),
}

for (const [name, draw] of Object.entries(AREAS)) {
  t.test(`it holds what was set and not deleted, and counts it: ${name}`, (t) => {
    for (let seed = 1; seed <= 5; seed++) {
      const prng = new Prng(seed)
      let map = new ByNumber<number>()
      let model = new Map<number, number>()
      for (let step = 0; step < 20_000; step++) {
        const number = draw(prng, step)
        const growth = step % 2000 < 1000 ? 0.6 : 0.2
        if (prng.chance(growth)) {
          map.set(number, step)
          model.set(number, step)
        } else if (prng.chance(0.9)) {
          // Mostly one that is there, as it is with commands that are answered.
          const [oldest = number] = model.keys()
          const gone = prng.chance(0.7) ? oldest : number
          if (map.delete(gone) !== model.delete(gone)) t.fail(`${gone} after step ${step} of seed ${seed}`)
        } else if (prng.chance(0.02)) {
          map.clear()
          model.clear()
        } else if (prng.chance(0.03)) {
          const former = map
          map = map.copy()
          model = new Map(model)
          former.set(number, -1)
          for (const [other] of former.entries()) former.delete(other)
        }
        const isRight = map.get(number) === model.get(number) && map.has(number) === model.has(number)
        if (!isRight || map.size !== model.size) t.fail(`${number} after step ${step} of seed ${seed}`)
        if (step % 500 === 0)
          t.strictSame(
            map.entries(),
            [...model].sort(([a], [b]) => a - b),
            'all of it, by ascending numbers',
          )
      }
    }
    t.end()
  })
}
