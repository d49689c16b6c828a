/** Outcomes on their way to one client: those of a turn leave in one frame (more if they are much). */
import type { Reply } from '../protocol/command.js'
import { encodeFrame } from '../transport/codec.js'
import type { Connection } from '../transport/transport.js'

/** A frame of replies is closed at this size (bytes). */
const FRAME_BYTES = 4 << 20
/** What a reply takes besides its result, about (bytes). */
const OVERHEAD = 64

export class Outcomes {
  readonly #connection: Connection
  #replies: Reply[] = []
  /** Of {@link #replies}, about. */
  #bytes = 0

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Whether some wait for {@link send}. */
  get wait(): boolean {
    return this.#replies.length > 0
  }

  /** Whether one more is too much for the frame. */
  isFullWith({ result }: Reply): boolean {
    return this.wait && this.#bytes + OVERHEAD + result.value.length > FRAME_BYTES
  }

  add(reply: Reply): void {
    this.#replies.push(reply)
    this.#bytes += OVERHEAD + reply.result.value.length
  }

  send(): void {
    this.#connection.send(encodeFrame({ type: 'replies', replies: this.#replies }))
    this.#replies = []
    this.#bytes = 0
  }
}
