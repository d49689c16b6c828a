/** Parts of the run's time: moving, zooming, ticks, and how times are written. Pure. */

/** ms. */
export interface Range {
  readonly from: number
  readonly to: number
}

/** No closer than this (ms): histories have times in µs. */
const CLOSEST = 0.05
/** Between two ticks there are at least so many pixels. */
const TICK_PIXELS = 90

/** The range, moved and cut so that it lies in the whole; widened around its middle if it is too short to be seen. */
export function fitted({ from, to }: Range, whole: Range): Range {
  const length = Math.min(Math.max(to - from, CLOSEST), whole.to - whole.from)
  const begin = (from + to - length) / 2
  const kept = Math.max(whole.from, Math.min(begin, whole.to - length))
  return { from: kept, to: kept + length }
}

/** Shows `factor` times as much; the time `around` stays where it is. */
export function zoomed({ from, to }: Range, whole: Range, factor: number, around: number): Range {
  const length = Math.min(Math.max((to - from) * factor, CLOSEST), whole.to - whole.from)
  const begin = around - ((around - from) / (to - from)) * length
  return fitted({ from: begin, to: begin + length }, whole)
}

/** Moves by such a part of what is seen. */
export function panned({ from, to }: Range, whole: Range, part: number): Range {
  const by = (to - from) * part
  return fitted({ from: from + by, to: to + by }, whole)
}

/** With room on both sides, so that what leads up to it is seen too. */
export function framed({ from, to }: Range, whole: Range): Range {
  const room = Math.max((to - from) / 2, CLOSEST * 10)
  return fitted({ from: from - room, to: to + room }, whole)
}

/** A moment that the axis names. */
export interface Tick {
  readonly time: number
  readonly label: string
}

/** Round moments in a range that is `pixels` wide. */
export function ticks({ from, to }: Range, pixels: number): Tick[] {
  const least = ((to - from) * TICK_PIXELS) / Math.max(pixels, TICK_PIXELS)
  const power = 10 ** Math.floor(Math.log10(least))
  const step = power * (least <= power ? 1 : least <= 2 * power ? 2 : least <= 5 * power ? 5 : 10)
  const inSeconds = to >= 10_000 || step >= 1_000
  const decimals = Math.max(0, -Math.floor(Math.log10(inSeconds ? step / 1_000 : step) + 1e-9))
  const found: Tick[] = []
  for (let n = Math.ceil(from / step); n * step <= to; n++) {
    const time = n * step
    found.push({ time, label: inSeconds ? `${(time / 1_000).toFixed(decimals)} s` : `${time.toFixed(decimals)} ms` })
  }
  return found
}

/** `0.25 ms`, `250 ms`, `2.5 s`: to the µs below a second, to the ms above. */
export function showTime(ms: number): string {
  const trimmed = (value: number): string => String(Number(value.toFixed(3)))
  return Math.abs(ms) < 1_000 ? `${trimmed(ms)} ms` : `${trimmed(ms / 1_000)} s`
}
