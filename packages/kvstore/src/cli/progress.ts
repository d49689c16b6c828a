/** How far a load has come: on a terminal a bar in the last line, elsewhere nothing. */
import { MultiBar, Presets, type SingleBar } from 'cli-progress'

const COUNTS = '{pairs} pairs, {rate} a second'

/** Goes on drawing until {@link Progress.end}. */
export class Progress {
  readonly #started = performance.now()
  readonly #bars: MultiBar | undefined
  readonly #bar: SingleBar | undefined

  /**
   * @param total bytes of the input; undefined if that is not known: then only the pairs are counted
   * @param output where the bar is drawn if it is a terminal, and the notes are written
   */
  constructor(
    total: number | undefined,
    private readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean } = process.stderr,
  ) {
    if (output.isTTY !== true) return
    // A MultiBar, for only that has log(). The cursor and the wrapping of lines are left as they are, for Ctrl-C would
    // leave them changed; so notes that are longer than a line are seen whole.
    this.#bars = new MultiBar(
      {
        stream: output,
        format: total ? `{bar} {percentage}%  ${COUNTS}{eta}` : COUNTS,
        barsize: 24,
        formatValue: (value, _, type) => (type === 'eta' ? timeLeft(value) : String(value)),
        linewrap: true,
        // A note has taken the bar's line, so that is drawn again though it says the same.
        forceRedraw: true,
        clearOnComplete: true,
      },
      Presets.shades_classic,
    )
    this.#bar = this.#bars.create(total ?? 0, 0, { pairs: 0, rate: 0 })
  }

  /** @param bytes read so far; @param pairs acknowledged so far */
  update(bytes: number, pairs: number): void {
    const seconds = Math.max(performance.now() - this.#started, 1) / 1000
    const rate = Math.round(pairs / seconds)
    this.#bar?.update(bytes, { pairs: pairs.toLocaleString('en-US'), rate: rate.toLocaleString('en-US') })
  }

  /** Writes a line to the output, above the bar. */
  note(line: string): void {
    if (this.#bars?.isActive) {
      this.#bars.log(`${line}\n`)
      this.#bars.update()
    } else {
      this.output.write(`${line}\n`)
    }
  }

  /** Takes the bar away. */
  end(): void {
    this.#bars?.stop()
  }
}

/** @param seconds no number as long as they cannot be told */
function timeLeft(seconds: number): string {
  return Number.isFinite(seconds) ? `, ${seconds} s left` : ''
}
