/** A copy of the state on its way to a client, in chunks. */
import { isInPieces } from '../service/service.js'
import { encodeFrame } from '../transport/codec.js'
import { sizeOf } from './value-size.js'

/** A chunk is closed at about this size (bytes). */
const CHUNK_BYTES = 256 << 10

/**
 * Frames of one dump. Of entries in pieces (`inPieces`) each is made when it is asked for; else all are made at once, as they
 * may change with the next command. So the constructor and {@link next} throw what the state throws, and what cannot be sent.
 */
export class Dump {
  readonly #frames: Iterator<Uint8Array, undefined>
  /** What comes next; undefined: nothing. */
  #next: Uint8Array | undefined
  /** When its client asked last (ms). */
  usedAt: number

  constructor(slot: number, entries: Iterable<unknown>, now: number) {
    this.usedAt = now
    const frames = framesOf(slot, entries)
    this.#frames = isInPieces(entries) ? frames : [...frames].values()
    this.#advance()
  }

  get done(): boolean {
    return this.#next === undefined
  }

  /** The next frame; the last one says that it is. */
  next(now: number): Uint8Array {
    const frame = this.#next
    if (frame === undefined) throw new RangeError('the dump is at its end')
    this.usedAt = now
    this.#advance()
    return frame
  }

  #advance(): void {
    const result = this.#frames.next()
    this.#next = result.done === true ? undefined : result.value
  }
}

function* framesOf(slot: number, entries: Iterable<unknown>): Generator<Uint8Array, undefined> {
  let chunk: unknown[] = []
  let bytes = 0
  for (const entry of entries) {
    if (bytes >= CHUNK_BYTES) {
      yield encodeFrame({ type: 'dump', slot, entries: chunk, done: false })
      chunk = []
      bytes = 0
    }
    chunk.push(entry)
    bytes += sizeOf(entry)
  }
  yield encodeFrame({ type: 'dump', slot, entries: chunk, done: true })
}
