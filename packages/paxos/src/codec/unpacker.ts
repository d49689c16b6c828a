/** Reads plain values from the bytes that values.ts packs. */
import { Buffer, isUtf8 } from 'node:buffer'
import { badFrame } from './bytes.js'

/** How deep arrays and objects may be nested. */
export const MAX_DEPTH = 100

/** Texts of so many bytes, and above all the keys of objects, come again and again: they need not be made, nor kept, anew. */
const SHORT = 24
/** A power of two. */
const KNOWN = 256
const known = new Array<string>(KNOWN).fill('')

const NOTHING = Buffer.alloc(0)
const TWO_32 = 0x1_0000_0000

/** Reads one value, and checks it: whatever is not as it should be throws `BAD_FRAME`. */
export class Unpacker {
  #bytes: Buffer = NOTHING
  #at = 0

  unpack(bytes: Buffer): unknown {
    this.#bytes = bytes
    this.#at = 0
    const value = this.#value(0)
    if (this.#at !== bytes.length) throw badFrame('bytes after the value')
    this.#bytes = NOTHING
    return value
  }

  #value(depth: number): unknown {
    if (depth > MAX_DEPTH) throw badFrame(`a value nested deeper than ${MAX_DEPTH}`)
    const tag = this.#byte()
    if (tag < 0x80) return tag
    if (tag < 0x90) return this.#object(tag & 0xf, depth)
    if (tag < 0xa0) return this.#array(tag & 0xf, depth)
    if (tag < 0xc0) return this.#text(tag & 0x1f)
    if (tag >= 0xe0) return tag - 0x100
    return this.#tagged(tag, depth)
  }

  #tagged(tag: number, depth: number): unknown {
    switch (tag) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
        return this.#blob(this.#byte())
      case 0xc5:
        return this.#blob(this.#bytes.readUInt16BE(this.#skip(2)))
      case 0xc6:
        return this.#blob(this.#bytes.readUInt32BE(this.#skip(4)))
      case 0xd9:
        return this.#text(this.#byte())
      case 0xda:
        return this.#text(this.#bytes.readUInt16BE(this.#skip(2)))
      case 0xdb:
        return this.#text(this.#bytes.readUInt32BE(this.#skip(4)))
      case 0xdc:
        return this.#array(this.#bytes.readUInt16BE(this.#skip(2)), depth)
      case 0xdd:
        return this.#array(this.#bytes.readUInt32BE(this.#skip(4)), depth)
      case 0xde:
        return this.#object(this.#bytes.readUInt16BE(this.#skip(2)), depth)
      case 0xdf:
        return this.#object(this.#bytes.readUInt32BE(this.#skip(4)), depth)
      default:
        return this.#number(tag)
    }
  }

  #number(tag: number): unknown {
    const bytes = this.#bytes
    switch (tag) {
      case 0xca:
        return bytes.readFloatBE(this.#skip(4))
      case 0xcb:
        return bytes.readDoubleBE(this.#skip(8))
      case 0xcc:
        return this.#byte()
      case 0xcd:
        return bytes.readUInt16BE(this.#skip(2))
      case 0xce:
        return bytes.readUInt32BE(this.#skip(4))
      case 0xcf:
        return bytes.readBigUInt64BE(this.#skip(8))
      case 0xd0:
        return bytes.readInt8(this.#skip(1))
      case 0xd1:
        return bytes.readInt16BE(this.#skip(2))
      case 0xd2:
        return bytes.readInt32BE(this.#skip(4))
      case 0xd3:
        return bytes.readBigInt64BE(this.#skip(8))
      default:
        return this.#extension(tag)
    }
  }

  /** `undefined` (type 0, one byte) and points in time (type −1) are the only ones. */
  #extension(tag: number): Date | undefined {
    if (tag === 0xd4 && this.#bytes.readUInt16BE(this.#skip(2)) === 0) return undefined
    const length = tag === 0xd6 ? 4 : tag === 0xd7 ? 8 : tag === 0xc7 && this.#byte() === 12 ? 12 : 0
    if (length === 0 || this.#byte() !== 0xff) throw badFrame('a value of an unknown type')
    const at = this.#skip(length)
    const bytes = this.#bytes
    if (length === 4) return new Date(bytes.readUInt32BE(at) * 1000)
    const low = bytes.readUInt32BE(at + length - 4)
    const high = bytes.readUInt32BE(at)
    const date =
      length === 8
        ? new Date(((high & 3) * TWO_32 + low) * 1000 + Math.floor((high >>> 2) / 1_000_000))
        : new Date((bytes.readInt32BE(at + 4) * TWO_32 + low) * 1000 + Math.floor(high / 1_000_000))
    if (Number.isNaN(date.getTime())) throw badFrame('a date that is none')
    return date
  }

  #array(count: number, depth: number): unknown[] {
    if (count > this.#bytes.length - this.#at) throw badFrame(`an array of ${count} in ${this.#bytes.length} bytes`)
    const items: unknown[] = []
    for (let i = 0; i < count; i++) items.push(this.#value(depth + 1))
    return items
  }

  #object(count: number, depth: number): object {
    if (count * 2 > this.#bytes.length - this.#at) throw badFrame(`a map of ${count} in ${this.#bytes.length} bytes`)
    const object: Record<string, unknown> = {}
    for (let i = 0; i < count; i++) {
      const tag = this.#bytes[this.#at] ?? 0
      if (!((tag >= 0xa0 && tag < 0xc0) || (tag >= 0xd9 && tag <= 0xdb))) throw badFrame('a key that is not a text')
      const key = this.#value(depth + 1) as string
      const value = this.#value(depth + 1)
      if (key === '__proto__') define(object, key, value)
      else object[key] = value
    }
    return object
  }

  #text(length: number): string {
    const start = this.#skip(length)
    if (length <= SHORT) return this.#short(start, length)
    const text = this.#bytes.toString(undefined, start, this.#at) // UTF-8; naming it would cost as much as reading
    // U+FFFD stands for what is no UTF-8, but also for itself.
    if (text.includes('\ufffd') && !isUtf8(this.#bytes.subarray(start, this.#at)))
      throw badFrame('a text that is not UTF-8')
    return text
  }

  #short(start: number, length: number): string {
    const bytes = this.#bytes
    // The first and the last letter tell the keys of one kind of object apart, nearly always.
    const place = ((bytes[start] ?? 0) + 7 * (bytes[start + length - 1] ?? 0) + 31 * length) & (KNOWN - 1)
    const text = known[place] ?? ''
    if (isText(text, bytes, start, length)) return text
    let high = 0
    for (let at = start; at < start + length; at++) high |= bytes[at] ?? 0
    if (high >= 0x80) {
      if (!isUtf8(bytes.subarray(start, start + length))) throw badFrame('a text that is not UTF-8')
      return bytes.toString(undefined, start, start + length)
    }
    return (known[place] = bytes.toString(undefined, start, start + length))
  }

  /** A copy. */
  #blob(length: number): Uint8Array {
    const start = this.#skip(length)
    return Uint8Array.prototype.slice.call(this.#bytes, start, this.#at)
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw badFrame('a value that ends too early')
    return byte
  }

  /** Passes over so many bytes; returns where they begin. */
  #skip(length: number): number {
    const at = this.#at
    if (length > this.#bytes.length - at) throw badFrame('a value that ends too early')
    this.#at = at + length
    return at
  }
}

/** Keys are plain data, `__proto__` too. */
function define(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
}

/** Whether these bytes, which are ASCII, are this text. */
function isText(text: string, bytes: Buffer, start: number, length: number): boolean {
  if (text.length !== length) return false
  for (let i = 0; i < length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false
  return true
}
