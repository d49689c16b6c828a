/** Which key comes next. */
import { Prng } from '@synod/paxos/internal/protocol/prng'
import zipfian from 'zipfian-integer'

/**
 * `turns`: one after the other, round after round. `uniform`: each is as likely as any other. `zipf`: the k-th is drawn with a
 * probability proportional to 1/k^{@link ZIPF}.
 */
export type Distribution = 'turns' | 'uniform' | 'zipf'

/** The exponent: as steep as texts are, and the least (by hundredths) that Go's `rand.Zipf` takes, too. */
export const ZIPF = 1.01

/** Draws numbers of keys from 0 below `keys`; the same seed gives the same numbers. */
export function drawer(distribution: Distribution, keys: number, seed: number): () => number {
  if (distribution === 'turns') {
    let next = 0
    return () => next++ % keys
  }
  const prng = new Prng(seed)
  if (distribution === 'uniform') return () => prng.below(keys)
  return zipfian(0, keys - 1, ZIPF, () => prng.float())
}

/** As it is written in the store. */
export function keyOf(number: number): string {
  return `key-${number}`
}
