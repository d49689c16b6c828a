/** Whether what was measured again and again stays flat. */

/** One measurement. */
export interface Point {
  /** ms since the run began. */
  readonly time: number
  readonly value: number
}

/** What comes of a series of measurements, in its own unit. */
export interface Trend {
  /** After the warm-up. */
  readonly first: number
  readonly last: number
  readonly max: number
  /** Least squares, after the warm-up: by the hour. */
  readonly slopePerHour: number
  /** Least squares, over the second half of the run: what it came to in that time. */
  readonly growth: number
}

const HOUR = 3_600_000

/**
 * @param points in order of time, one at least
 * @param from when the warm-up ends (ms)
 * @param half when the second half of the run begins (ms)
 */
export function trendOf(points: readonly Point[], from: number, half: number): Trend {
  const warm = points.filter(({ time }) => time >= from)
  const late = points.filter(({ time }) => time >= half)
  const counted = warm.length > 0 ? warm : points.slice(-1)
  const span = (late.at(-1)?.time ?? 0) - (late[0]?.time ?? 0)
  return {
    first: counted[0]?.value ?? 0,
    last: counted.at(-1)?.value ?? 0,
    max: counted.reduce((most, { value }) => Math.max(most, value), 0),
    slopePerHour: slopeOf(counted) * HOUR,
    growth: slopeOf(late) * span,
  }
}

/** Of the line through these points that fits best, by the ms; 0 if they are all of one moment. */
export function slopeOf(points: readonly Point[]): number {
  const time = mean(points.map((point) => point.time))
  const value = mean(points.map((point) => point.value))
  let [above, below] = [0, 0]
  for (const point of points) {
    above += (point.time - time) * (point.value - value)
    below += (point.time - time) ** 2
  }
  return below === 0 ? 0 : above / below
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}
