/** How far a load has come: on a terminal a bar in the last line, elsewhere nothing. */
import { clearLine, cursorTo } from 'node:readline'

const BAR = 24
/** The bar is drawn no more often than this, ms. */
const INTERVAL = 100

export class Progress {
  readonly #terminal = process.stderr.isTTY ? process.stderr : undefined
  readonly #started = performance.now()
  #drawn = 0
  #line = ''

  /** @param total bytes of the input; undefined if that is not known: then only the pairs are counted */
  constructor(private readonly total: number | undefined) {}

  /** @param bytes read so far; @param pairs acknowledged so far */
  update(bytes: number, pairs: number): void {
    const now = performance.now()
    if (this.#terminal === undefined || now - this.#drawn < INTERVAL) return
    this.#drawn = now
    this.#line = progressLine(bytes, pairs, this.total, (now - this.#started) / 1000)
    this.#clear()
    this.#terminal.write(this.#line.slice(0, this.#terminal.columns - 1))
  }

  /** Writes a line to standard error, above the bar. */
  note(line: string): void {
    this.#clear()
    process.stderr.write(`${line}\n`)
    this.#terminal?.write(this.#line.slice(0, this.#terminal.columns - 1))
  }

  /** Takes the bar away. */
  end(): void {
    this.#clear()
    this.#line = ''
  }

  #clear(): void {
    if (this.#terminal === undefined) return
    cursorTo(this.#terminal, 0)
    clearLine(this.#terminal, 0)
  }
}

/** What the bar's line says after so many seconds. */
export function progressLine(bytes: number, pairs: number, total: number | undefined, seconds: number): string {
  const counts = `${pairs.toLocaleString('en-US')} pairs, ${Math.round(pairs / seconds).toLocaleString('en-US')} a second`
  if (total === undefined || total === 0) return counts
  const part = Math.min(bytes / total, 1)
  const full = Math.floor(part * BAR)
  const left = part === 0 ? '' : `, ${Math.ceil((seconds / part) * (1 - part))} s left`
  return `${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${Math.floor(part * 100)}%  ${counts}${left}`
}
