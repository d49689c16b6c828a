/**
 * Notices a server that is silent. A network that loses everything says nothing, and a script can neither send nor see
 * WebSocket's own pings: so when nothing comes, the server is asked how it stands, and is given up when it does not tell.
 */
import { decodeServerFrame, encodeFrame } from '../transport/codec.js'

/** The connection is looked at this often (ms); a browser may make it less often in a page that nobody sees. */
const LOOK = 2_000
/** So often nothing was heard when it was looked at: then the server is asked; and then it is given up. */
const ASK_AT = 1
const GIVE_UP_AT = 4
/** The network or the page came back: where to begin to count, as what was silent before is likely gone. */
const AFTER_RETURN = 2

const QUESTION = encodeFrame({ type: 'status' }) as Uint8Array<ArrayBuffer>

/** A worker has none. */
const page = globalThis.document as Document | undefined

export interface PulseHost {
  /** Sends a frame. */
  ask(frame: Uint8Array<ArrayBuffer>): void
  /** The server is given up. */
  stopped(): void
}

export class Pulse {
  readonly #host: PulseHost
  /** Who asked for each status that did not come yet, in order. */
  readonly #asked: ('owner' | 'pulse')[] = []
  #heard = true
  #silences = 0
  /** From the first frame on, which tells that the handshake is over. */
  #looking: ReturnType<typeof setInterval> | undefined
  #ended = false
  readonly #returned = (): void => {
    if (page?.visibilityState === 'hidden') return
    this.#heard = false
    this.#silences = AFTER_RETURN
    this.#ask()
  }

  constructor(host: PulseHost) {
    this.#host = host
  }

  /** Sees a frame that the owner sends. */
  sent(frame: Uint8Array): void {
    if (frame.length === QUESTION.length && frame.every((byte, at) => byte === QUESTION[at])) this.#asked.push('owner')
  }

  /** Sees a frame that came; whether it is for nobody else. */
  heard(frame: Uint8Array): boolean {
    this.#heard = true
    if (this.#looking === undefined && !this.#ended) this.#begin()
    return this.#asked.length > 0 && isStatus(frame) && this.#asked.shift() === 'pulse'
  }

  end(): void {
    this.#ended = true
    clearInterval(this.#looking)
    removeEventListener('online', this.#returned)
    page?.removeEventListener('visibilitychange', this.#returned)
  }

  #begin(): void {
    this.#looking = setInterval(() => this.#look(), LOOK)
    addEventListener('online', this.#returned)
    page?.addEventListener('visibilitychange', this.#returned)
  }

  #look(): void {
    this.#silences = this.#heard ? 0 : this.#silences + 1
    this.#heard = false
    if (this.#silences >= GIVE_UP_AT) this.#host.stopped()
    else if (this.#silences >= ASK_AT) this.#ask()
  }

  #ask(): void {
    if (this.#asked.includes('pulse')) return
    this.#asked.push('pulse')
    this.#host.ask(QUESTION)
  }
}

function isStatus(frame: Uint8Array): boolean {
  try {
    return decodeServerFrame(frame).type === 'status'
  } catch {
    return false // its owner will say what is wrong with it
  }
}
