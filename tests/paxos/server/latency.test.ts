import type { Result } from '@synod/paxos/internal/protocol/command'
import { Latency, Stopwatch } from '@synod/paxos/internal/server/latency'
import t from 'tap'
import { ManualClock } from '../manual-clock.js'

const value = new Uint8Array(0)
const reply = (localId: number, status: Result['status'] = 'ok') => ({
  clientId: '1.a',
  localId,
  result: { status, value },
})

t.test('the median and the ninety-ninth percentile of what was recorded', async (t) => {
  const clock = new ManualClock()
  const latency = new Latency(clock)
  t.equal(latency.summary(), null)
  await clock.pass(200)
  for (let ms = 1; ms <= 100; ms++) latency.record(clock.now() - ms)
  const { p50Ms = 0, p99Ms = 0, count } = latency.summary() ?? {}
  t.equal(count, 100)
  t.ok(Math.abs(p50Ms - 50) < 1, `${p50Ms}`)
  t.ok(Math.abs(p99Ms - 99) < 1.5, `${p99Ms}`)
})

t.test('samples count for at least ten seconds, and for no more than twenty', async (t) => {
  const clock = new ManualClock()
  const latency = new Latency(clock)
  await clock.pass(9_000)
  latency.record(clock.now() - 5)
  await clock.pass(10_000)
  latency.record(clock.now() - 500)
  t.equal(latency.summary()?.count, 2)
  await clock.pass(10_000)
  t.equal(latency.summary()?.count, 1)
  t.ok((latency.summary()?.p50Ms ?? 0) > 490, 'the newer one is left')
  await clock.pass(60_000)
  t.equal(latency.summary(), null)
})

t.test('times out of range are taken for the nearest in it', (t) => {
  const clock = new ManualClock()
  const latency = new Latency(clock)
  latency.record(clock.now() + 1_000)
  t.equal(latency.summary()?.p50Ms, 0.001)
  latency.record(clock.now() - 1e9)
  t.equal(latency.summary()?.count, 2)
  t.end()
})

t.test('a connection has one command timed at a time, to its outcome', async (t) => {
  const clock = new ManualClock()
  const latency = new Latency(clock)
  const stopwatch = new Stopwatch(latency, clock)
  stopwatch.start('1.a', 1)
  await clock.pass(10)
  stopwatch.start('1.a', 2)
  stopwatch.stop(reply(2))
  t.equal(latency.summary(), null, 'the second was not timed')
  await clock.pass(20)
  stopwatch.stop({ ...reply(1), clientId: '2.b' })
  t.equal(latency.summary(), null, 'nor is the first of another session this one')
  stopwatch.stop(reply(1))
  const { p50Ms = 0, count } = latency.summary() ?? {}
  t.equal(count, 1)
  t.ok(Math.abs(p50Ms - 30) < 0.5, `${p50Ms}`)
  stopwatch.stop(reply(1))
  t.equal(latency.summary()?.count, 1, 'a second outcome counts no more')
})

t.test('a command that was not taken in is no sample, and one without an outcome makes room for others', async (t) => {
  const clock = new ManualClock()
  const latency = new Latency(clock)
  const stopwatch = new Stopwatch(latency, clock)
  stopwatch.start('1.a', 1)
  stopwatch.stop(reply(1, 'busy'))
  t.equal(latency.summary(), null)
  stopwatch.start('1.a', 2)
  await clock.pass(61_000)
  stopwatch.start('1.a', 3)
  await clock.pass(1)
  stopwatch.stop(reply(3))
  t.equal(latency.summary()?.count, 1)
})
