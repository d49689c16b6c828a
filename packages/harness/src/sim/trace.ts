/** All that happens in a simulation, line by line, and its digest. */
import { createHash } from 'node:crypto'

/** What was not hashed yet is hashed when it has so many characters. */
const PIECE = 1 << 16

export class Trace {
  readonly #now: () => number
  readonly #told: ((line: string) => void) | undefined
  readonly #hash = createHash('sha256')
  #waiting = ''
  #digest: string | undefined

  /** @param now ms; @param told takes each line */
  constructor(now: () => number, told: ((line: string) => void) | undefined) {
    this.#now = now
    this.#told = told
  }

  /** SHA-256 of all lines until it is first asked for, in hexadecimal digits. */
  get digest(): string {
    this.#digest ??= this.#hash.update(this.#waiting).digest('hex')
    return this.#digest
  }

  readonly line = (text: string): void => {
    const line = `${this.#now().toFixed(3)} ${text}`
    this.#told?.(line)
    if (this.#digest !== undefined) return
    this.#waiting += `${line}\n`
    if (this.#waiting.length < PIECE) return
    this.#hash.update(this.#waiting)
    this.#waiting = ''
  }
}
