/**
 * The audit: a hash chain over the decided commands, kept by every replica. Two servers whose chains differ at one slot
 * have executed different histories, whatever the reason (a bug, bad memory, a disk that lied): they must not both go on.
 */
import type { Command, Slot } from './command.js'

/** The chain's hash after the command of a slot: 16 hexadecimal digits. Of slot 0: before the first. */
export interface AuditMark {
  readonly slot: Slot
  readonly hash: string
}

/** Servers compare their chains where a block of so many slots ends. */
export const BLOCK = 256
/** Ends of blocks that are remembered: who lags by more slots than these hold is compared when it has caught up. */
const KEPT = 1_024

/** Two lanes of 32 bits; made against accidents, not against attackers. */
export class Chain {
  #slot: Slot = 0
  #a = 0x9e3779b1 | 0
  #b = 0x85ebca77 | 0
  /** The ends of the last blocks, the oldest first. */
  #blocks: AuditMark[] = []

  /** After the last slot. */
  get end(): AuditMark {
    return { slot: this.#slot, hash: hex(this.#a) + hex(this.#b) }
  }

  /** The last end of a block; slot 0 before the first. */
  get block(): AuditMark {
    return this.#blocks.at(-1) ?? { slot: 0, hash: '0'.repeat(16) }
  }

  /** What is known of it: ends of blocks, and its own end. */
  get marks(): readonly AuditMark[] {
    return this.block.slot === this.#slot ? [...this.#blocks] : [...this.#blocks, this.end]
  }

  /** The hash after this slot; null if it is not known (yet, or any more). */
  at(slot: Slot): string | null {
    if (slot === this.#slot) return this.end.hash
    const last = this.block.slot
    if (slot > last || slot % BLOCK !== 0) return null
    const mark = this.#blocks[this.#blocks.length - 1 - (last - slot) / BLOCK]
    return mark?.slot === slot ? mark.hash : null
  }

  /** Adds the command of the next slot. */
  add(slot: Slot, command: Command): void {
    this.#slot = slot
    switch (command.kind) {
      case 'op':
        this.#text(command.clientId)
        this.#word(command.localId)
        this.#word(command.acked)
        this.#bytes(command.op)
        break
      case 'open':
        this.#text(command.nonce)
        this.#word(1)
        break
      case 'end':
        this.#text(command.clientId)
        this.#word(2)
        break
      case 'mark':
        this.#text(command.nonce)
        this.#word(3)
        break
      case 'noop':
        this.#word(4)
    }
    if (slot % BLOCK !== 0) return
    if (this.#blocks.length >= 2 * KEPT) this.#blocks = this.#blocks.slice(-KEPT)
    this.#blocks.push(this.end)
  }

  /** Goes on behind a snapshot. */
  restore(end: AuditMark, block: AuditMark): void {
    this.#slot = end.slot
    this.#a = parseInt(end.hash.slice(0, 8), 16) | 0
    this.#b = parseInt(end.hash.slice(8), 16) | 0
    this.#blocks = block.slot === 0 ? [] : [block]
  }

  #bytes(bytes: Uint8Array): void {
    let [a, b] = [this.#a, this.#b]
    const whole = bytes.length & ~3
    for (let at = 0; at < whole; at += 4) {
      const word =
        (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)
      a = mix(a, word)
      b = follow(b, a)
    }
    let rest = 0
    for (let at = bytes.length - 1; at >= whole; at--) rest = (rest << 8) | (bytes[at] ?? 0)
    this.#a = a
    this.#b = b
    this.#word(rest)
    this.#word(bytes.length)
  }

  /** Ids are ASCII: three characters and a bit in a word. */
  #text(text: string): void {
    let [a, b] = [this.#a, this.#b]
    const { length } = text
    for (let at = 0; at < length; at += 3) {
      const word = text.charCodeAt(at) | (text.charCodeAt(at + 1) << 9) | (text.charCodeAt(at + 2) << 18) // NaN is 0 here
      a = mix(a, word)
      b = follow(b, a)
    }
    this.#a = a
    this.#b = b
    this.#word(length)
  }

  #word(word: number): void {
    this.#a = mix(mix(this.#a, word | 0), Math.floor(word / 0x1_0000_0000))
    this.#b = follow(this.#b, this.#a)
  }
}

/** The first lane takes a word in; two words never lead from one hash to the same. */
function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x85ebca6b)
  return mixed ^ (mixed >>> 15)
}

/** The second lane takes the first one in: so it remembers what that once was. */
function follow(hash: number, first: number): number {
  return (Math.imul(hash, 0x27d4eb2f) + first) | 0
}

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, '0')
}
