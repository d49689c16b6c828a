/** One direction of one connection between two servers: frames come in at one end and leave at the other, as the links allow. */
import { decodePeerFrame } from '@synod/paxos/internal/transport/codec'
import { WebSocket } from 'ws'
import type { RawData } from 'ws'
import type { Links } from '../world/links.js'
import { WHOLE } from '../world/links.js'

/** While more than this is on the way (bytes), nothing more is taken in. */
const ON_THE_WAY = 1 << 20
/** How often what is held back is looked after (ms): the link may be whole again. */
const LOOK = 50
/** What `ws` calls an end that was told without a code, and one that was not told (RFC 6455, section 7.4.1). */
const NO_CODE = 1005
const LOST = 1006

/** What a connection carries: servers' frames, which meet these links' faults, or (null) a client's, which meet none. */
export interface Traffic {
  links: Links | null
}

/** A frame on its way. */
interface Held {
  readonly bytes: Uint8Array
  /** When it arrives (ms). */
  readonly at: number
}

export class Way {
  readonly #source: WebSocket
  readonly #target: WebSocket
  readonly #from: number
  readonly #to: number
  readonly #traffic: Traffic
  /** In the order in which they arrive. */
  readonly #held: Held[] = []
  #heldBytes = 0
  /** What comes in from now on arrives after this moment (ms): handshakes are not overtaken. */
  #notBefore = 0
  #timer: NodeJS.Timeout | undefined
  /** How the source ended; to be told when all that it sent has arrived. */
  #end: { readonly code: number; readonly reason: Buffer } | null = null

  /** Begins to pass on what comes. `from` and `to` are the servers at its ends. */
  constructor(source: WebSocket, target: WebSocket, from: number, to: number, traffic: Traffic) {
    this.#source = source
    this.#target = target
    this.#from = from
    this.#to = to
    this.#traffic = traffic
    source.on('message', (data, isBinary) => this.#received(data, isBinary))
    source.on('ping', (data) => this.#sign(() => target.ping(data, undefined, () => undefined)))
    source.on('pong', (data) => this.#sign(() => target.pong(data, undefined, () => undefined)))
    source.on('close', (code, reason) => this.#ended(code, reason))
    target.on('close', () => {
      clearTimeout(this.#timer)
      if (source.isPaused) source.resume() // it is to hear that it is closed
    })
  }

  #received(data: RawData, isBinary: boolean): void {
    if (!this.#reaches()) return
    if (!isBinary || !(data instanceof Uint8Array))
      return this.#target.send(data, { binary: isBinary }, () => undefined)
    const links = this.#faultyLinks
    if (links === null) {
      this.#release(Infinity) // what was held back while there were faults comes first
      this.#send(data)
    } else {
      for (const at of this.#arrivals(data, links)) this.#hold({ bytes: data, at })
      this.#release(performance.now())
    }
  }

  /** Frames of the WebSocket itself: by them each end knows whether the other is there. */
  #sign(pass: () => void): void {
    if (this.#reaches() && !this.#isCut) pass()
  }

  /** null: nothing happens to frames now. */
  get #faultyLinks(): Links | null {
    const { links } = this.#traffic
    return links === null || links.of(this.#from, this.#to) === WHOLE ? null : links
  }

  get #isCut(): boolean {
    return this.#traffic.links?.isCut(this.#from, this.#to) === true
  }

  /** Whether the other end is there. If it has gone while that could not be told, it is told now: to whoever sends. */
  #reaches(): boolean {
    if (this.#target.readyState === WebSocket.OPEN) return true
    const isCut = this.#isCut || this.#traffic.links?.isCut(this.#to, this.#from) === true
    if (this.#target.readyState === WebSocket.CLOSED && this.#source.readyState === WebSocket.OPEN && !isCut)
      this.#source.terminate()
    return false
  }

  /** When the copies of a frame arrive. Only messages are lost, doubled or overtaken: handshakes are not made for that. */
  #arrivals(bytes: Uint8Array, links: Links): number[] {
    const now = performance.now()
    const waits = links.deliver(this.#from, this.#to, bytes.length)
    if (this.#isCut) return []
    if (isMessages(bytes)) return waits.map((wait) => Math.max(now + wait, this.#notBefore))
    const [wait = links.of(this.#from, this.#to).delay] = waits
    this.#notBefore = Math.max(now + wait, this.#notBefore)
    return [this.#notBefore]
  }

  #hold(frame: Held): void {
    const before = this.#held.findLastIndex(({ at }) => at <= frame.at)
    this.#held.splice(before + 1, 0, frame)
    this.#heldBytes += frame.bytes.length
  }

  /** Sends what arrives until this moment, and sees to the rest later. */
  #release(until: number): void {
    clearTimeout(this.#timer)
    for (;;) {
      const [first] = this.#held
      if (first === undefined || first.at > until) break
      this.#held.shift()
      this.#heldBytes -= first.bytes.length
      this.#send(first.bytes)
    }
    const [next] = this.#held
    if (next === undefined) this.#tellEnd()
    else this.#timer = setTimeout(this.#look, Math.min(next.at - performance.now(), LOOK))
    this.#pace()
  }

  readonly #look = (): void => {
    this.#release(this.#faultyLinks === null ? Infinity : performance.now())
  }

  #send(bytes: Uint8Array): void {
    this.#target.send(bytes, { binary: true }, () => this.#pace())
    this.#pace()
  }

  /** Takes nothing in while the other end does not keep up. */
  #pace(): void {
    const bytes = this.#heldBytes + this.#target.bufferedAmount
    if (bytes > ON_THE_WAY) this.#source.pause()
    else if (this.#source.isPaused && bytes <= ON_THE_WAY / 2) this.#source.resume()
  }

  #ended(code: number, reason: Buffer): void {
    this.#end = { code, reason }
    if (this.#held.length === 0) this.#tellEnd()
  }

  /** The other end hears of it in the same words; but if the link is cut, it hears nothing. */
  #tellEnd(): void {
    if (this.#end === null || this.#isCut) return
    const { code, reason } = this.#end
    if (code === LOST) this.#target.terminate()
    else if (code === NO_CODE) this.#target.close()
    else this.#target.close(code, reason)
  }
}

function isMessages(bytes: Uint8Array): boolean {
  try {
    return decodePeerFrame(bytes).type === 'messages'
  } catch {
    return false // the other end will say so
  }
}
