/** Which faults held when, for the report. */
import type { Band } from '../report/report.js'

interface Open extends Omit<Band, 'to'> {
  /** Whether there is still something of it. */
  readonly holds: () => boolean
}

export class Bands {
  readonly #now: () => number
  readonly #open = new Map<string, Open>()
  readonly #closed: Band[] = []

  constructor(now: () => number) {
    this.#now = now
  }

  /** A fault begins; one of the same key that held ends. */
  open(
    key: string,
    label: string,
    kind: Band['kind'],
    server: number | null = null,
    holds = (): boolean => true,
  ): void {
    this.close(key)
    this.#open.set(key, { label, kind, server, from: this.#now(), holds })
  }

  has(key: string): boolean {
    return this.#open.has(key)
  }

  close(key: string): void {
    const band = this.#open.get(key)
    if (band === undefined) return
    this.#open.delete(key)
    this.#closed.push(ended(band, this.#now()))
  }

  /** Ends those of which nothing holds any more. */
  closeOver(): void {
    for (const [key, { holds }] of [...this.#open]) if (!holds()) this.close(key)
  }

  /** Ends all of a kind: of one server, or of all. */
  closeAll(kind: Band['kind'], server?: number): void {
    for (const [key, band] of [...this.#open]) {
      if (band.kind === kind && (server === undefined || band.server === server)) this.close(key)
    }
  }

  /** All, in the order of their begins; what still holds ends now. */
  list(): Band[] {
    const held = [...this.#open.values()].map((band) => ended(band, this.#now()))
    return [...this.#closed, ...held].sort((a, b) => a.from - b.from)
  }
}

function ended({ label, kind, server, from }: Open, to: number): Band {
  return { label, kind, server, from, to }
}
