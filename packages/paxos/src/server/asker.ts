/** One client that reads: the answers of a turn leave in one frame (more if they are much). */
import type { Slot } from '../protocol/command.js'
import { encodeFrame } from '../transport/codec.js'
import type { Connection } from '../transport/transport.js'
import type { Answer } from '../transport/wire.js'

/** A frame of answers is closed at this size (bytes). */
const FRAME_BYTES = 4 << 20
/** What an answer takes besides its value, about (bytes). */
const OVERHEAD = 16
/** While more than this waits to leave (bytes), it is to read before it is told more. */
const BUFFER_LIMIT = 32 << 20

export class Asker {
  /** Its connection has ended. */
  isGone = false
  /** Too much waits to leave. */
  isSlow = false
  readonly #connection: Connection
  #answers: Answer[] = []
  /** Of {@link #answers}, about. */
  #bytes = 0
  #slot: Slot = 0

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Whether answers wait for {@link send}. */
  get waits(): boolean {
    return this.#answers.length > 0
  }

  /** Of the state that the answers that wait were read from. */
  get slot(): Slot {
    return this.#slot
  }

  /** Finds out whether it {@link isSlow}. */
  look(): void {
    this.isSlow = this.#connection.buffered > BUFFER_LIMIT
  }

  /** @param slot the last that was executed on the state that was read */
  answer(slot: Slot, answer: Answer): void {
    const bytes = OVERHEAD + answer.value.length
    if (this.waits && (slot !== this.#slot || this.#bytes + bytes > FRAME_BYTES)) this.send()
    this.#slot = slot
    this.#answers.push(answer)
    this.#bytes += bytes
  }

  send(): void {
    if (!this.isGone) this.#connection.send(encodeFrame({ type: 'answers', slot: this.#slot, answers: this.#answers }))
    this.#answers = []
    this.#bytes = 0
    this.look()
  }
}
