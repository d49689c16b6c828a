/** A copy of the state on its way to a client, in chunks. */
import { encodeFrame } from '../transport/codec.js'

/** A chunk is closed at about this size (bytes). */
const CHUNK_BYTES = 256 << 10

/** Frames of one dump. They are made at once: what a snapshot yielded may change with the next command. */
export class Dump {
  readonly #frames: Uint8Array[] = []
  #next = 0
  /** When its client asked last (ms). */
  usedAt: number

  constructor(slot: number, entries: Iterable<unknown>, now: number) {
    this.usedAt = now
    let chunk: unknown[] = []
    let bytes = 0
    for (const entry of entries) {
      if (bytes >= CHUNK_BYTES) {
        this.#frames.push(encodeFrame({ type: 'dump', slot, entries: chunk, done: false }))
        chunk = []
        bytes = 0
      }
      chunk.push(entry)
      bytes += sizeOf(entry)
    }
    this.#frames.push(encodeFrame({ type: 'dump', slot, entries: chunk, done: true }))
  }

  get done(): boolean {
    return this.#next === this.#frames.length
  }

  /** The next frame; the last one says that it is. */
  next(now: number): Uint8Array {
    const frame = this.#frames[this.#next]
    if (frame === undefined) throw new RangeError('the dump is at its end')
    this.usedAt = now
    this.#frames[this.#next++] = new Uint8Array(0) // sent: not needed here any more
    return frame
  }
}

/** About as many bytes as a plain value takes. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 4
  if (value instanceof Uint8Array) return value.length + 4
  if (typeof value !== 'object' || value === null) return 8
  let bytes = 4
  if (value instanceof Map)
    for (const [key, item] of value as Map<unknown, unknown>) bytes += sizeOf(key) + sizeOf(item)
  else if (value instanceof Set || Array.isArray(value))
    for (const item of value as Iterable<unknown>) bytes += sizeOf(item)
  else for (const [key, item] of Object.entries(value)) bytes += sizeOf(key) + sizeOf(item)
  return bytes
}
