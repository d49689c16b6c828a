/** Slopes of measurements, and what counts as flat. */
import type { SoakSample } from '@synod/harness/internal/soak/soak'
import { slopeOf, trendOf } from '@synod/harness/internal/soak/trend'
import { judged } from '@synod/harness/internal/soak/verdict'
import type { SoakResult } from '@synod/harness/internal/soak/verdict'
import { lineOf, resultText } from '@synod/harness/internal/soak/words'
import t from 'tap'

const MIB = 1 << 20
const SECOND = 1_000

t.test('the slope is that of the line that fits best', (t) => {
  const line = [0, 1, 2, 3].map((time) => ({ time, value: 5 + 2 * time }))
  t.equal(slopeOf(line), 2)
  t.equal(
    slopeOf([
      { time: 0, value: 0 },
      { time: 1, value: 3 },
      { time: 2, value: 0 },
    ]),
    0,
  )
  t.equal(slopeOf([{ time: 1, value: 7 }]), 0)
  t.equal(slopeOf([]), 0)
  t.end()
})

t.test('what grows only while it warms up has no slope; growth is that of the second half', (t) => {
  const points = Array.from({ length: 101 }, (_, time) => ({ time: time * SECOND, value: Math.min(time, 20) }))
  t.match(trendOf(points, 30 * SECOND, 50 * SECOND), { first: 20, last: 20, max: 20, slopePerHour: 0, growth: 0 })
  const leak = points.map(({ time }) => ({ time, value: time / SECOND }))
  const { slopePerHour, growth } = trendOf(leak, 30 * SECOND, 50 * SECOND)
  t.equal(Math.round(slopePerHour), 3_600)
  t.equal(Math.round(growth), 50)
  t.end()
})

/** A soak of 100 s in which one server's sample is as `how` makes it. */
function soaked(how: (seconds: number) => Partial<SoakSample['servers'][number]>, problems: string[] = []): SoakResult {
  const steady = { memory: 200 * MIB, disk: 60 * MIB, descriptors: 30, sessions: 400, snapshot: 20 * MIB, installed: 0 }
  const samples = Array.from({ length: 101 }, (_, seconds) => ({
    time: seconds * SECOND,
    down: null,
    acknowledged: seconds * 1_000,
    servers: [{ ...steady, ...how(seconds) }, steady],
  }))
  const options = {
    seconds: 100,
    servers: 2,
    keys: 9,
    valueSize: 9,
    clients: 1,
    outstanding: 1,
    rate: 9,
    sessions: 9,
    gc: false,
  }
  return judged({ options, samples, outages: 0, acknowledged: 100_000, unknown: 0, sessions: 9, problems })
}

t.test('a run in which nothing grows is flat', (t) => {
  const result = soaked(() => ({}))
  t.equal(result.ok, true)
  t.match(resultText(result), /flat[^]*All that was acknowledged is there, on all servers\.\nok\n$/)
  t.end()
})

for (const [what, how, wanted] of [
  [
    'memory that grows',
    (s: number) => ({ memory: (200 + 3 * s) * MIB }),
    /memory grew by 150\.0 MiB in the second half, and 1[12]\d\.\d are allowed/,
  ],
  ['a disk above its bound', () => ({ disk: 2_000 * MIB }), /the disk held 2000\.0 MiB, and 3\d\d\.0 are allowed/],
  ['descriptors that stay open', (s: number) => ({ descriptors: 30 + s }), /descriptors grew by 50 in the second half/],
  ['sessions without a bound', () => ({ sessions: 70_000 }), /there were 70000 sessions, and 65536 are allowed/],
] as const) {
  t.test(`not flat: ${what}`, (t) => {
    const result = soaked(how)
    t.equal(result.ok, false)
    t.equal(result.servers[0]?.problems.length, 1)
    t.match(result.servers[0]?.problems[0], wanted)
    t.strictSame(result.servers[1]?.problems, [])
    t.match(resultText(result), /NOT FLAT[^]*NOT OK\n$/)
    t.end()
  })
}

t.test('a heap that comes and goes is flat, and so is one that is measured again after a restart', (t) => {
  t.equal(soaked((s) => ({ memory: (180 + 40 * Math.sin(s)) * MIB })).ok, true)
  t.equal(soaked((s) => ({ memory: s % 30 < 10 ? null : 200 * MIB })).ok, true)
  t.end()
})

t.test('what was acknowledged and is not there fails the run', (t) => {
  const result = soaked(() => ({}), ['key-1 holds value 3, and 4 was acknowledged'])
  t.equal(result.ok, false)
  t.match(resultText(result), /key-1 holds value 3[^]*NOT OK\n$/)
  t.end()
})

t.test('installed snapshots are counted over restarts', (t) => {
  const result = soaked((s) => ({ installed: s < 40 ? 1 : s < 60 ? 0 : 1 }))
  t.equal(result.servers[0]?.installed, 2)
  t.end()
})

t.test('a line tells how all servers stand, and who is down', (t) => {
  const server = { memory: 200 * MIB, disk: 60 * MIB, descriptors: 30, sessions: 1_400, snapshot: 1, installed: 0 }
  const gone = { memory: null, disk: 61 * MIB, descriptors: null, sessions: null, snapshot: null, installed: null }
  const before = { time: 0, down: null, acknowledged: 0, servers: [server, server] }
  const line = lineOf({ time: 2_000, down: 1, acknowledged: 18_000, servers: [server, gone] }, before)
  t.match(line, /2 s +9,000 sets\/s +memory \(MiB\) +200 +- +disk \(MiB\) +60 +61 .* 1,400 sessions +server 1 is down$/)
  t.end()
})
