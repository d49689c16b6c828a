/** Servers in any order. */
import type { Prng } from '@synod/paxos/internal/protocol/prng'

/** The numbers below `count` in any order. */
export function shuffled(prng: Prng, count: number): number[] {
  const numbers = Array.from({ length: count }, (_, number) => number)
  for (let left = count; left > 1; left--) {
    const other = prng.below(left)
    const [a, b] = [numbers[left - 1] ?? 0, numbers[other] ?? 0]
    numbers[left - 1] = b
    numbers[other] = a
  }
  return numbers
}
