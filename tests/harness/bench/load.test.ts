/** The load: which keys it draws, which operations, when, and what it says of their latency. */
import type { Store } from '@synod/harness/internal/bench/load'
import { load, Load } from '@synod/harness/internal/bench/load'
import { drawer, ZIPF } from '@synod/harness/internal/bench/keys'
import t from 'tap'
import { until } from '../../support/cluster.js'

/** Answers after a while (ms), or, in a stall, when that is over; remembers what was asked. */
class SlowStore implements Store {
  readonly asked: string[] = []
  underWay = 0
  most = 0
  #stall: Promise<void> = Promise.resolve()

  constructor(readonly delay = 0) {}

  get(key: string): Promise<void> {
    return this.#answer(`get ${key}`)
  }

  set(key: string, value: string): Promise<void> {
    return this.#answer(`set ${key} ${value}`)
  }

  cas(key: string, expected: string, value: string): Promise<void> {
    return this.#answer(`cas ${key} ${expected} ${value}`)
  }

  stall(ms: number): void {
    this.#stall = wait(ms)
  }

  async #answer(what: string): Promise<void> {
    this.asked.push(what)
    this.most = Math.max(this.most, ++this.underWay)
    await Promise.all([this.#stall, wait(this.delay)])
    this.underWay--
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function drawn(distribution: 'uniform' | 'zipf' | 'turns', keys: number, draws: number): number[] {
  const draw = drawer(distribution, keys, 1)
  const counts = Array<number>(keys).fill(0)
  for (let i = 0; i < draws; i++) {
    const key = draw()
    counts[key] = (counts[key] ?? NaN) + 1
  }
  return counts
}

t.test('keys in turns come one after the other, round after round', (t) => {
  t.strictSame(drawn('turns', 5, 12), [3, 3, 2, 2, 2])
  t.end()
})

t.test('uniform keys come equally often', (t) => {
  const counts = drawn('uniform', 100, 100_000)
  t.ok(Math.min(...counts) > 850, `the rarest came ${Math.min(...counts)} times`)
  t.ok(Math.max(...counts) < 1150, `the most frequent came ${Math.max(...counts)} times`)
  t.end()
})

t.test('the k-th of the keys of a zipf distribution comes in proportion to 1/k^1.01', (t) => {
  const keys = 1000
  const draws = 1_000_000
  const counts = drawn('zipf', keys, draws)
  const weights = counts.map((_, index) => 1 / (index + 1) ** ZIPF)
  const all = weights.reduce((sum, weight) => sum + weight)
  for (const k of [1, 2, 3, 10, 100]) {
    const expected = ((weights[k - 1] ?? NaN) / all) * draws
    const came = counts[k - 1] ?? NaN
    t.ok(Math.abs(came - expected) < 6 * Math.sqrt(expected), `${k}: ${came} times, expected ${expected.toFixed(0)}`)
  }
  const rare = counts.slice(500).reduce((sum, count) => sum + count)
  const expected = (weights.slice(500).reduce((sum, weight) => sum + weight) / all) * draws
  t.ok(Math.abs(rare - expected) < 6 * Math.sqrt(expected), `the rarer half: ${rare}, expected ${expected.toFixed(0)}`)
  t.end()
})

t.test('a mix has reads, writes and compare-and-swaps in its proportions', async (t) => {
  const store = new SlowStore()
  const mix = { read: 60, write: 30, cas: 10 }
  const running = new Load({ connections: [store], clients: 100, valueSize: 3, keys: 10, mix, distribution: 'uniform' })
  await until('enough was asked', () => store.asked.length > 20_000)
  await running.stop()
  const share = (kind: string): number =>
    store.asked.filter((what) => what.startsWith(kind)).length / store.asked.length
  t.ok(Math.abs(share('get') - 0.6) < 0.03, `gets: ${share('get')}`)
  t.ok(Math.abs(share('set') - 0.3) < 0.03, `sets: ${share('set')}`)
  t.ok(Math.abs(share('cas') - 0.1) < 0.03, `compare-and-swaps: ${share('cas')}`)
  t.ok(store.asked.every((what) => /^(get key-\d|set key-\d xxx|cas key-\d xxx xxx)$/.test(what)))
})

t.test('clients share the connections, and each has one operation under way', async (t) => {
  const stores = [new SlowStore(5), new SlowStore(5)]
  const result = await load({ connections: stores, clients: 6, valueSize: 1, keys: 10, seconds: 0.3 })
  t.strictSame(
    stores.map(({ most }) => most),
    [3, 3],
  )
  t.equal(result.operations, (stores[0]?.asked.length ?? 0) + (stores[1]?.asked.length ?? 0))
  t.ok(Math.abs(result.rate * result.seconds - result.operations) < 1e-6)
  t.ok(result.p50 >= 4 && result.p50 <= result.p99 && result.p99 <= result.max * 1.001)
})

t.test(
  'a closed loop asks nothing in a stall, and its percentiles hide it; an open loop counts those that were due',
  async (t) => {
    const options = { clients: 4, valueSize: 1, keys: 10 }
    const stalled = async (rate?: number): Promise<Awaited<ReturnType<typeof load>>> => {
      const store = new SlowStore()
      const running = new Load({ ...options, connections: [store], rate })
      await wait(300)
      store.stall(500)
      await wait(1200)
      return running.stop()
    }
    const [closed, open] = await Promise.all([stalled(), stalled(400)])
    t.ok(closed.max > 450, 'the four that were under way took as long as the stall')
    t.ok(closed.p99 < 100, `p99 of a closed loop: ${closed.p99}`)
    // A third of all operations were due in the stall, and waited for what was left of it.
    t.ok(Math.abs(open.operations - 600) < 60, `${open.operations} operations at 400 a second in 1.5 s`)
    t.ok(open.p90 > 250 && open.p90 < 450, `p90 of an open loop: ${open.p90}`)
    t.ok(open.p99 > 420, `p99 of an open loop: ${open.p99}`)
    t.ok(open.p50 < 100, `p50 of an open loop: ${open.p50}`)
  },
)

t.test('what was due and was not begun by the end counts, too', async (t) => {
  const store = new SlowStore(1500) // the one that is begun is answered after the end
  const running = new Load({ connections: [store], clients: 1, valueSize: 1, keys: 10, rate: 100 })
  await wait(1000)
  const result = await running.stop()
  t.ok(result.late >= 90, `${result.late} were due`)
  t.ok(result.p50 > 300 && result.p50 < 700, `their median age was ${result.p50}`)
})

t.test('failures are counted by their codes, and a store that refuses at once is not asked without end', async (t) => {
  const store = new SlowStore()
  store.set = () => {
    store.asked.push('set')
    return Promise.reject(Object.assign(new Error('too much'), { code: 'BUSY' }))
  }
  const result = await load({ connections: [store], clients: 2, valueSize: 1, keys: 10, seconds: 0.2 })
  t.equal(result.operations, 0)
  t.strictSame(result.failures, { BUSY: store.asked.length })
  t.ok(store.asked.length >= 2 && store.asked.length < 50, `${store.asked.length} times`)
})
