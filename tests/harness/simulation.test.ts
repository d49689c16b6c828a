/** Hundreds of seeds through the simulator. A failure names its seed; `npm run sim -- --seed N --trace` replays it. */
import { simulate } from '@synod/harness'
import t from 'tap'

t.setTimeout(480_000)

const SEEDS = 300

t.test(
  `seeds 1 to ${SEEDS}: nothing is lost, doubled or out of order, and all servers converge after healing`,
  async (t) => {
    let [acknowledged, crashes, sizes] = [0, 0, new Set<number>()]
    for (let seed = 1; seed <= SEEDS; seed++) {
      const result = await simulate(seed) // throws SimulationFailed, which names the seed
      acknowledged += result.acknowledged
      crashes += result.crashes
      sizes = sizes.add(result.servers)
    }
    t.comment(`${acknowledged} operations acknowledged, ${crashes} crashes`)
    t.ok(acknowledged > SEEDS * 20, 'enough operations were acknowledged for this to mean something')
    t.ok(crashes > SEEDS, 'enough servers crashed')
    t.strictSame([...sizes].sort(), [3, 5])
  },
)

t.test('the same seed gives the same trace, event for event', async (t) => {
  for (const seed of [11, 12]) {
    const [first, second] = [await simulate(seed), await simulate(seed)]
    t.strictSame(first, second)
  }
})
