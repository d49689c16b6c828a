/** How far fuzzing has come: on a terminal a bar in the last line, elsewhere a line now and then. */
import { MultiBar, Presets, type SingleBar } from 'cli-progress'
import type { Totals } from './fuzz.js'

const COUNTS = '{seeds} seeds, {rate}/s, {hours} simulated hours, {operations} operations, {crashes} crashes{failed}'
/** Between two lines where there is no terminal (ms). */
const INTERVAL = 15_000

type Output = NodeJS.WritableStream & { readonly isTTY?: boolean }

export class FuzzProgress {
  readonly #started = performance.now()
  readonly #total: number | null
  readonly #output: Output
  readonly #bars: MultiBar | undefined
  readonly #bar: SingleBar | undefined
  #toldAt = this.#started

  /** @param total how many seeds there are; null: as many as there is time for */
  constructor(total: number | null, output: Output = process.stderr) {
    this.#total = total
    this.#output = output
    if (output.isTTY !== true) return
    this.#bars = new MultiBar(
      {
        stream: output,
        format: total === null ? COUNTS : `{bar} {percentage}%  ${COUNTS}`,
        barsize: 16,
        linewrap: true,
        forceRedraw: true,
        clearOnComplete: true,
      },
      Presets.shades_classic,
    )
    const nothing: Totals = { seeds: 0, operations: 0, crashes: 0, events: 0, simulated: 0, found: [] }
    this.#bar = this.#bars.create(total ?? 0, 0, this.#payload(nothing))
  }

  update(totals: Totals): void {
    this.#bar?.update(totals.seeds, this.#payload(totals))
    const now = performance.now()
    if (this.#bar !== undefined || now - this.#toldAt < INTERVAL) return
    this.#toldAt = now
    this.#output.write(`${this.#total === null ? '' : `of ${this.#total}: `}${tell(totals, now - this.#started)}\n`)
  }

  /** Writes a line, above the bar. */
  note(line: string): void {
    if (this.#bars?.isActive) {
      this.#bars.log(`${line}\n`)
      this.#bars.update()
    } else {
      this.#output.write(`${line}\n`)
    }
  }

  /** Takes the bar away, and gives a sentence with all that was done. */
  end(totals: Totals): string {
    this.#bars?.stop()
    return tell(totals, performance.now() - this.#started)
  }

  #payload(totals: Totals): Record<string, string> {
    return shown(totals, performance.now() - this.#started)
  }
}

function tell(totals: Totals, ms: number): string {
  const { seeds, rate, hours, operations, crashes, failed } = shown(totals, ms)
  return `${seeds} ${seeds === '1' ? 'seed' : 'seeds'} in ${(ms / 1000).toFixed(0)} s (${rate}/s): ${hours} simulated hours, ${operations} operations, ${crashes} crashes${failed}`
}

function shown({ seeds, operations, crashes, simulated, found }: Totals, ms: number) {
  const thousands = (count: number): string => count.toLocaleString('en-US')
  return {
    seeds: thousands(seeds),
    rate: (seeds / Math.max(ms / 1000, 0.001)).toFixed(1),
    hours: (simulated / 3_600_000).toFixed(2),
    operations: thousands(operations),
    crashes: thousands(crashes),
    failed: `, ${found.length === 0 ? 'none' : found.length} failed`,
  }
}
