/**
 * Plain values as bytes: operations, results, events, dumps. They are MessagePack, as much of it as plain data needs, in
 * its shortest form. What comes from outside is checked while it is read, and nothing is built from what is not expected:
 * no array, object or text is made before its length was checked against the bytes that are there.
 */
import { Buffer } from 'node:buffer'
import { asBuffer, badFrame } from './bytes.js'
import { MAX_DEPTH, Unpacker } from './unpacker.js'

/** Bytes that are compared, or copied, one by one. */
const SMALL = 64

/** What is written before it is copied out; larger values have it grow for as long as they are written. */
const SCRATCH = 1 << 16
const TWO_32 = 0x1_0000_0000

/**
 * Packs a plain value: null, undefined, booleans, numbers, bigints of up to 64 bits, well-formed strings, Uint8Arrays,
 * Dates, and arrays and objects of these. The bytes are a copy that may be kept. Throws SynodError `BAD_FRAME` for
 * anything that could not be read back.
 */
export function packValue(value: unknown): Uint8Array {
  return packer.pack(value)
}

/** The same; but where `before` holds these very bytes, and they are few, that is what it gives. */
export function packLike(value: unknown, before: Uint8Array): Uint8Array {
  return packer.pack(value, before)
}

/** The value in the bytes; it shares no memory with them. Throws `BAD_FRAME` for whatever {@link packValue} does not write. */
export function unpackValue(bytes: Uint8Array): unknown {
  return unpacker.unpack(asBuffer(bytes))
}

/** Texts of more units are measured before they are written: room for three bytes a unit would be too much. */
const MUCH = 16_384

/** Short texts, and above all the keys of objects, are written and read letter by letter: no call out of JavaScript. */
const SHORT = 24

class Packer {
  #bytes = Buffer.allocUnsafeSlow(SCRATCH)
  #at = 0

  pack(value: unknown, before?: Uint8Array): Uint8Array {
    this.#at = 0
    this.#value(value, 0)
    const length = this.#at
    if (before?.length === length && length <= SMALL && this.#holds(before)) return before
    // Small ones share a slab with their neighbours in time.
    const copy = length < 4096 ? Buffer.allocUnsafe(length) : Buffer.allocUnsafeSlow(length)
    if (length > SMALL) this.#bytes.copy(copy, 0, 0, length)
    else for (let at = 0; at < length; at++) copy[at] = this.#bytes[at] ?? 0 // a call would cost more
    if (this.#bytes.length > SCRATCH) this.#bytes = Buffer.allocUnsafeSlow(SCRATCH) // what was large need not stay
    return copy
  }

  #holds(bytes: Uint8Array): boolean {
    for (let at = 0; at < bytes.length; at++) if (bytes[at] !== this.#bytes[at]) return false
    return true
  }

  #value(value: unknown, depth: number): void {
    if (depth > MAX_DEPTH) throw badFrame(`a value nested deeper than ${MAX_DEPTH}`)
    switch (typeof value) {
      case 'string':
        return this.#text(value)
      case 'number':
        return this.#number(value)
      case 'boolean':
        return this.#tag(value ? 0xc3 : 0xc2)
      case 'undefined':
        return void this.#begin(0xd4, 2).writeUInt16BE(0, this.#take(2))
      case 'bigint':
        return this.#bigint(value)
      case 'object':
        if (value === null) return this.#tag(0xc0)
        return this.#object(value, depth + 1)
      default:
        throw badFrame(`a ${typeof value}, which is no plain data`)
    }
  }

  #object(value: object, depth: number): void {
    if (Array.isArray(value)) return this.#array(value, depth)
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype === Object.prototype || prototype === null) return this.#entries(value, depth)
    if (value instanceof Uint8Array) return this.#blob(value)
    if (value instanceof Date) return this.#date(value)
    if (value instanceof Set) return this.#array([...(value as Set<unknown>)], depth)
    if (value instanceof Map) return this.#map(value as Map<unknown, unknown>, depth)
    const isOther =
      [ArrayBuffer, RegExp, Error, Promise].some((kind) => value instanceof kind) || ArrayBuffer.isView(value)
    if (isOther) throw badFrame('an object which is no plain data')
    this.#entries(value, depth)
  }

  #array(items: readonly unknown[], depth: number): void {
    this.#length(items.length, 0x90, 0xdc)
    for (const item of items) this.#value(item, depth)
  }

  #entries(value: object, depth: number): void {
    const keys = Object.keys(value)
    this.#length(keys.length, 0x80, 0xde)
    for (const key of keys) {
      this.#text(key)
      this.#value((value as Record<string, unknown>)[key], depth)
    }
  }

  #map(value: ReadonlyMap<unknown, unknown>, depth: number): void {
    this.#length(value.size, 0x80, 0xde)
    for (const [key, item] of value) {
      if (typeof key !== 'string') throw badFrame('a key that is not a text')
      this.#text(key)
      this.#value(item, depth)
    }
  }

  /** Of an array or a map. */
  #length(length: number, short: number, long: number): void {
    if (length < 16) this.#tag(short | length)
    else if (length < 0x1_0000) this.#begin(long, 2).writeUInt16BE(length, this.#take(2))
    else this.#begin(long + 1, 4).writeUInt32BE(length, this.#take(4))
  }

  #text(text: string): void {
    const { length } = text
    if (length <= SHORT && this.#letters(text, length)) return
    // Most texts are ASCII: so many bytes as units. Of others it is seen when they are written, and they are written again.
    if (length >= MUCH || !this.#sized(text, length)) this.#wide(text)
  }

  /** Writes a text as one of so many bytes; false if it has others. */
  #sized(text: string, size: number): boolean {
    const before = this.#at
    // A unit may have three bytes; only what has one byte for each is of this size.
    const bytes = this.#textOf(size, size * 3)
    const written = bytes.write(text, this.#at)
    if (written !== size) {
      this.#at = before
      return false
    }
    this.#at += size
    return true
  }

  #wide(text: string): void {
    // Of what is ill-formed something else would be written, and two different keys could become one.
    if (!text.isWellFormed()) throw badFrame('a text that is not UTF-8')
    const size = Buffer.byteLength(text)
    const bytes = this.#textOf(size, size)
    bytes.write(text, this.#take(size))
  }

  /** Begins a text of so many bytes, with room for `room`. */
  #textOf(size: number, room: number): Buffer {
    if (size < 32) return this.#begin(0xa0 | size, room)
    if (size < 0x100) this.#begin(0xd9, room + 1).writeUInt8(size, this.#take(1))
    else if (size < 0x1_0000) this.#begin(0xda, room + 2).writeUInt16BE(size, this.#take(2))
    else this.#begin(0xdb, room + 4).writeUInt32BE(size, this.#take(4))
    return this.#bytes
  }

  /** Writes a text of ASCII; false if it is none. */
  #letters(text: string, length: number): boolean {
    const bytes = this.#begin(0xa0 | length, length)
    const start = this.#at
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i)
      if (unit >= 0x80) {
        this.#at = start - 1
        return false
      }
      bytes[start + i] = unit
    }
    this.#at = start + length
    return true
  }

  #number(value: number): void {
    if (value >>> 0 === value) {
      if (value < 0x80) this.#tag(value)
      else if (value < 0x100) this.#begin(0xcc, 1).writeUInt8(value, this.#take(1))
      else if (value < 0x1_0000) this.#begin(0xcd, 2).writeUInt16BE(value, this.#take(2))
      else this.#begin(0xce, 4).writeUInt32BE(value, this.#take(4))
    } else if (value >> 0 === value) {
      if (value >= -0x20) this.#tag(0x100 + value)
      else if (value >= -0x80) this.#begin(0xd0, 1).writeInt8(value, this.#take(1))
      else if (value >= -0x8000) this.#begin(0xd1, 2).writeInt16BE(value, this.#take(2))
      else this.#begin(0xd2, 4).writeInt32BE(value, this.#take(4))
    } else this.#begin(0xcb, 8).writeDoubleBE(value, this.#take(8))
  }

  #bigint(value: bigint): void {
    if (BigInt.asIntN(64, value) === value) this.#begin(0xd3, 8).writeBigInt64BE(value, this.#take(8))
    else if (BigInt.asUintN(64, value) === value) this.#begin(0xcf, 8).writeBigUInt64BE(value, this.#take(8))
    else throw badFrame('an integer of more than 64 bits')
  }

  #blob(value: Uint8Array): void {
    const { length } = value
    if (length < 0x100) this.#begin(0xc4, length + 1).writeUInt8(length, this.#take(1))
    else if (length < 0x1_0000) this.#begin(0xc5, length + 2).writeUInt16BE(length, this.#take(2))
    else this.#begin(0xc6, length + 4).writeUInt32BE(length, this.#take(4))
    this.#bytes.set(value, this.#take(length))
  }

  /** Seconds, and with them nanoseconds where there are any, or where 32 bits are not enough. */
  #date(date: Date): void {
    const ms = date.getTime()
    if (Number.isNaN(ms)) throw badFrame('a date that is none')
    const seconds = Math.floor(ms / 1000)
    if (seconds * 1000 === ms && seconds >= 0 && seconds < TWO_32) {
      this.#begin(0xd6, 5).writeUInt8(0xff, this.#take(1))
      this.#bytes.writeUInt32BE(seconds, this.#take(4))
      return
    }
    this.#begin(0xc7, 14).writeUInt16BE(0x0cff, this.#take(2))
    this.#bytes.writeUInt32BE((ms - seconds * 1000) * 1_000_000, this.#take(4))
    this.#bytes.writeInt32BE(Math.floor(seconds / TWO_32), this.#take(4))
    this.#bytes.writeUInt32BE(seconds - Math.floor(seconds / TWO_32) * TWO_32, this.#take(4))
  }

  #tag(tag: number): void {
    this.#begin(tag, 0)
  }

  /** Writes a tag, and has room for so many bytes behind it. */
  #begin(tag: number, more: number): Buffer {
    const needed = this.#at + 1 + more
    if (needed > this.#bytes.length) this.#grow(needed)
    this.#bytes[this.#at++] = tag
    return this.#bytes
  }

  /** Where the next so many bytes go. */
  #take(count: number): number {
    const at = this.#at
    this.#at += count
    return at
  }

  #grow(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(grown, 0, 0, this.#at)
    this.#bytes = grown
  }
}

const packer = new Packer()
const unpacker = new Unpacker()
