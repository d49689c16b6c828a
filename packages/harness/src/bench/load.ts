/** A closed loop: so many operations are always outstanding; each that ends begins the next. */
import { build } from 'hdr-histogram-js'
import type { KvClient } from '@synod/kvstore'

export interface LoadOptions {
  /** They share the outstanding operations. */
  readonly clients: readonly KvClient[]
  readonly outstanding: number
  readonly seconds: number
  /** In bytes. */
  readonly valueSize: number
  readonly keys: number
}

/** Latencies in ms. */
export interface LoadResult {
  readonly operations: number
  readonly rate: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** Sets keys until the time is over, and waits for what is outstanding then. Throws what an operation throws. */
export async function load({ clients, outstanding, seconds, valueSize, keys }: LoadOptions): Promise<LoadResult> {
  const histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 60_000_000,
    numberOfSignificantValueDigits: 3,
  })
  const value = 'x'.repeat(valueSize)
  const began = performance.now()
  const ends = began + seconds * 1000
  let operations = 0
  const lane = async (client: KvClient): Promise<void> => {
    for (let at = performance.now(); at < ends;) {
      await client.set(`key-${operations++ % keys}`, value)
      const done = performance.now()
      histogram.recordValue(Math.max(1, Math.round((done - at) * 1000)))
      at = done
    }
  }
  await Promise.all(Array.from({ length: outstanding }, (_, index) => lane(clientOf(clients, index))))
  const elapsed = (performance.now() - began) / 1000
  const at = (percentile: number): number => histogram.getValueAtPercentile(percentile) / 1000
  return { operations, rate: operations / elapsed, p50: at(50), p99: at(99), max: histogram.maxValue / 1000 }
}

function clientOf(clients: readonly KvClient[], index: number): KvClient {
  const client = clients[index % clients.length]
  if (client === undefined) throw new RangeError('a load needs at least one client')
  return client
}
