/**
 * MessagePack, one field at a time: what the hot path is written with and read by. The reader knows what must come next,
 * so nothing is built from what is not expected: no array, map or string is made before its length was checked against
 * the bytes that are there. (Whole plain values are packed in values.ts.)
 */
import { Buffer } from 'node:buffer'
import { SynodError } from '../protocol/error.js'

/** What came is not a frame of this protocol; its connection must be closed. */
export function badFrame(detail: string): SynodError {
  return new SynodError('BAD_FRAME', `a malformed frame: ${detail}`)
}

/** A buffer over the same bytes. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** Bytes that may be kept for long: those given, unless they are a small view of something larger, then a copy. */
export function owned(bytes: Uint8Array): Buffer {
  if (bytes.buffer.byteLength - bytes.length <= 256) return asBuffer(bytes)
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  copy.set(bytes)
  return copy
}

const SCRATCH = 1 << 16
const LOW = 0x1_0000_0000

/** Writes one MessagePack value, field by field. Can be used again after {@link take}. */
export class Writer {
  #bytes = Buffer.allocUnsafeSlow(SCRATCH)
  #at = 0

  /** What was written since the last call, as a copy. */
  take(): Buffer {
    const taken = Buffer.allocUnsafe(this.#at)
    this.#bytes.copy(taken, 0, 0, this.#at)
    this.#at = 0
    if (this.#bytes.length > SCRATCH * 64) this.#bytes = Buffer.allocUnsafeSlow(SCRATCH) // what was large need not stay
    return taken
  }

  /** Drops what was written since the last {@link take}. */
  clear(): void {
    this.#at = 0
  }

  /** An array of so many values follows. */
  array(count: number): this {
    this.#room(5)
    if (count < 16) this.#bytes[this.#at++] = 0x90 | count
    else if (count < 0x1_0000) this.#at = this.#bytes.writeUInt16BE(count, this.#tag(0xdc))
    else this.#at = this.#bytes.writeUInt32BE(count, this.#tag(0xdd))
    return this
  }

  /** A safe non-negative integer. Throws RangeError for any other number, which could not be read back. */
  uint(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new RangeError('something else where a non-negative integer should be')
    this.#room(9)
    if (value < 0x80) this.#bytes[this.#at++] = value
    else if (value < 0x100) this.#at = this.#bytes.writeUInt8(value, this.#tag(0xcc))
    else if (value < 0x1_0000) this.#at = this.#bytes.writeUInt16BE(value, this.#tag(0xcd))
    else if (value < LOW) this.#at = this.#bytes.writeUInt32BE(value, this.#tag(0xce))
    else {
      this.#at = this.#bytes.writeUInt32BE(Math.floor(value / LOW), this.#tag(0xcf))
      this.#at = this.#bytes.writeUInt32BE(value % LOW, this.#at)
    }
    return this
  }

  boolean(value: boolean): this {
    this.#room(1)
    this.#bytes[this.#at++] = value ? 0xc3 : 0xc2
    return this
  }

  nil(): this {
    this.#room(1)
    this.#bytes[this.#at++] = 0xc0
    return this
  }

  /** A name: at most 255 ASCII characters. Any other text is written as {@link text} does. */
  name(value: string): this {
    const { length } = value
    if (length > 0xff) return this.text(value)
    this.#room(2 + length)
    const [bytes, start] = [this.#bytes, this.#at + 2]
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i)
      if (unit >= 0x80) return this.text(value)
      bytes[start + i] = unit
    }
    bytes[start - 2] = 0xd9
    bytes[start - 1] = length
    this.#at = start + length
    return this
  }

  /** A text of any length. */
  text(value: string): this {
    const length = Buffer.byteLength(value)
    this.#room(5 + length)
    this.#at = this.#bytes.writeUInt32BE(length, this.#tag(0xdb))
    this.#at += this.#bytes.write(value, this.#at)
    return this
  }

  bytes(value: Uint8Array): this {
    this.#room(5 + value.length)
    if (value.length < 0x100) this.#at = this.#bytes.writeUInt8(value.length, this.#tag(0xc4))
    else this.#at = this.#bytes.writeUInt32BE(value.length, this.#tag(0xc6))
    this.#bytes.set(value, this.#at)
    this.#at += value.length
    return this
  }

  /** A value that was written before. */
  written(value: Uint8Array): this {
    this.#room(value.length)
    this.#bytes.set(value, this.#at)
    this.#at += value.length
    return this
  }

  #tag(tag: number): number {
    this.#bytes[this.#at++] = tag
    return this.#at
  }

  #room(bytes: number): void {
    const needed = this.#at + bytes
    if (needed <= this.#bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(grown, 0, 0, this.#at)
    this.#bytes = grown
  }
}

const NAME = /^[\x21-\x7e]{1,64}$/

/** Reads one MessagePack value, field by field; whatever is not as asked for throws `BAD_FRAME`. */
export class Reader {
  readonly #bytes: Buffer
  #at = 0
  #lastName = ''
  #lastNameAt = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = asBuffer(bytes)
  }

  /** The frame must end here. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw this.#bad('the end of the frame')
  }

  /** The length of the array that follows. There are at least so many bytes left. */
  array(): number {
    const tag = this.#byte()
    const count =
      tag >= 0x90 && tag < 0xa0 ? tag & 0xf : tag === 0xdc ? this.#big(2) : tag === 0xdd ? this.#big(4) : undefined
    if (count === undefined || count > this.#bytes.length - this.#at) throw this.#bad('an array that fits in the frame')
    return count
  }

  /** The array that follows must have so many fields. */
  fields(count: number, what: string): void {
    if (this.array() !== count) throw this.#bad(`the ${count} fields of ${what}`)
  }

  /** A safe non-negative integer, at most `max`. */
  uint(max: number = Number.MAX_SAFE_INTEGER): number {
    const tag = this.#byte()
    const value = tag < 0x80 ? tag : tag === 0xcc ? this.#byte() : this.#wide(tag)
    if (value > max) throw this.#bad(`an integer of at most ${max}`)
    return value
  }

  boolean(): boolean {
    const tag = this.#byte()
    if (tag !== 0xc2 && tag !== 0xc3) throw this.#bad('true or false')
    return tag === 0xc3
  }

  /** Whether nil comes next; then it is read. */
  nil(): boolean {
    if (this.#bytes[this.#at] !== 0xc0) return false
    this.#at++
    return true
  }

  /** A name of 1 to 64 printable ASCII characters, or as the pattern says. */
  name(pattern: RegExp = NAME): string {
    if (this.#byte() !== 0xd9) throw this.#bad('a name')
    const length = this.#byte()
    const start = this.#at
    const end = this.#skip(length)
    if (pattern === NAME && this.#isLastName(start, length)) return this.#lastName
    const value = this.#bytes.toString('latin1', start, end)
    if (!pattern.test(value)) throw this.#bad('a name of printable characters')
    if (pattern !== NAME) return value
    this.#lastName = value
    this.#lastNameAt = start
    return value
  }

  text(max: number): string {
    if (this.#byte() !== 0xdb) throw this.#bad('a text')
    const length = this.#big(4)
    if (length > max) throw this.#bad(`a text of at most ${max} bytes`)
    return this.#bytes.toString('utf8', this.#at, this.#skip(length))
  }

  /** Where it is: how many bytes are read. */
  get at(): number {
    return this.#at
  }

  /** A view of what was read since it was there. */
  since(start: number): Buffer {
    return this.#bytes.subarray(start, this.#at)
  }

  /** A view of the bytes that follow. */
  bytes(max: number = Number.MAX_SAFE_INTEGER): Buffer {
    const tag = this.#byte()
    const length = tag === 0xc4 ? this.#byte() : tag === 0xc6 ? this.#big(4) : undefined
    if (length === undefined || length > max) throw this.#bad(`at most ${max} bytes`)
    return this.#bytes.subarray(this.#at, this.#skip(length))
  }

  /** Throws about what was just read: `expected` says what it should have been. */
  refuse(expected: string): never {
    throw this.#bad(expected)
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw this.#bad('more bytes')
    return byte
  }

  #wide(tag: number): number {
    if (tag === 0xcd) return this.#big(2)
    if (tag === 0xce) return this.#big(4)
    if (tag !== 0xcf) throw this.#bad('an integer')
    return this.#big(4) * LOW + this.#big(4)
  }

  #big(bytes: 2 | 4): number {
    const at = this.#at
    this.#skip(bytes)
    return bytes === 2 ? this.#bytes.readUInt16BE(at) : this.#bytes.readUInt32BE(at)
  }

  /** Commands of one session follow each other often: their names are one string. */
  #isLastName(start: number, length: number): boolean {
    if (length === 0 || length !== this.#lastName.length) return false
    for (let i = 0; i < length; i++) if (this.#bytes[start + i] !== this.#bytes[this.#lastNameAt + i]) return false
    return true
  }

  /** Passes over so many bytes; returns where they end. */
  #skip(length: number): number {
    if (length > this.#bytes.length - this.#at) throw this.#bad('more bytes')
    this.#at += length
    return this.#at
  }

  #bad(expected: string): SynodError {
    return badFrame(
      `${expected} expected before byte ${Math.min(this.#at, this.#bytes.length)} of ${this.#bytes.length}`,
    )
  }
}
