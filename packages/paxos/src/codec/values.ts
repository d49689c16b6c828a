/**
 * Plain values as bytes, by msgpackr: operations, results, dumps. Bytes from outside are checked before msgpackr sees
 * them, so that its extensions (records, regular expressions, typed arrays, shared references) cannot be reached, and
 * so that every server, with or without msgpackr's native part, reads the same value from the same bytes.
 */
import { Buffer, isUtf8 } from 'node:buffer'
import { Packr, Unpackr } from 'msgpackr'
import { asBuffer, badFrame } from './bytes.js'

/** How deep arrays and objects may be nested. */
export const MAX_DEPTH = 100

const packr = new Packr({ useRecords: false, useToJSON: false })
const objects = new Unpackr({ useRecords: false, mapsAsObjects: true, copyBuffers: true })
const maps = new Unpackr({ useRecords: false, mapsAsObjects: false, copyBuffers: true })

/**
 * Packs a plain value: null, undefined, booleans, numbers, bigints of up to 64 bits, well-formed strings, Uint8Arrays,
 * Dates, and arrays and objects of these. The bytes are a copy that may be kept. Throws an Error for anything that could
 * not be read back.
 */
export function packValue(value: unknown): Uint8Array {
  const view = asBuffer(packr.pack(value))
  const scan = new Scan(view)
  scan.check()
  // Of a long text msgpackr replaces what is ill-formed, and two different keys could become one.
  if (scan.hasLongText && view.includes(REPLACEMENT) && !isWellFormed(value)) throw badFrame('a text that is not UTF-8')
  // Small ones share a slab with their neighbours in time; a slice of msgpackr's own buffer could keep a large one alive.
  const copy = view.length < 4096 ? Buffer.allocUnsafe(view.length) : Buffer.allocUnsafeSlow(view.length)
  copy.set(view)
  return copy
}

/** U+FFFD, which stands for half a character that had no other half. */
const REPLACEMENT = Buffer.from('\ufffd')

/** Whether all texts in a value that could be packed are well-formed. */
function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return !/\p{Surrogate}/u.test(value)
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return true
  const items: Iterable<unknown> = Symbol.iterator in value ? (value as Iterable<unknown>) : Object.entries(value)
  for (const item of items) if (!isWellFormed(item)) return false
  return true
}

/** The value in the bytes; it shares no memory with them. Throws `BAD_FRAME` for whatever {@link packValue} does not write. */
export function unpackValue(bytes: Uint8Array): unknown {
  const buffer = asBuffer(bytes)
  const scan = new Scan(buffer)
  scan.check()
  try {
    // msgpackr renames the key `__proto__` when it makes objects, so values with such keys take the longer way.
    if (!scan.hasProtoKey) return objects.unpack(buffer)
    return fromMaps(maps.unpack(buffer))
  } catch (error) {
    throw badFrame(`a value that cannot be read (${error instanceof Error ? error.message : String(error)})`)
  }
}

const PROTO = Buffer.from('__proto__')

/**
 * The value in bytes that {@link packValue} made, be it on another server: what was checked when it came in from outside is
 * not checked again each time that it is read.
 */
export function unpackOwn(bytes: Uint8Array): unknown {
  const buffer = asBuffer(bytes)
  return buffer.includes(PROTO) ? unpackValue(buffer) : objects.unpack(buffer)
}

/** Makes objects of maps. Keys are plain data, `__proto__` too. */
function fromMaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromMaps)
  if (!(value instanceof Map)) return value
  const object = {}
  for (const [key, item] of value as Map<string, unknown>) {
    Object.defineProperty(object, key, { value: fromMaps(item), writable: true, enumerable: true, configurable: true })
  }
  return object
}

/** Walks over a packed value without building it. */
class Scan {
  readonly #bytes: Buffer
  #at = 0
  /** Whether there is, or may be, a key `__proto__`. */
  hasProtoKey = false
  /** Whether there is a text that msgpackr does not write itself, but has written by the runtime. */
  hasLongText = false

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  check(): void {
    this.#value(0)
    if (this.#at !== this.#bytes.length) throw badFrame('bytes after the value')
  }

  #value(depth: number): void {
    if (depth > MAX_DEPTH) throw badFrame(`a value nested deeper than ${MAX_DEPTH}`)
    const tag = this.#byte()
    if (tag < 0x80 || tag >= 0xe0) return
    if (tag < 0x90) return this.#map(tag & 0xf, depth)
    if (tag < 0xa0) return this.#array(tag & 0xf, depth)
    if (tag < 0xc0) return this.#text(tag & 0x1f)
    switch (tag) {
      case 0xc0:
      case 0xc2:
      case 0xc3:
        return
      case 0xc4:
        return this.#skip(this.#byte())
      case 0xc5:
        return this.#skip(this.#big(2))
      case 0xc6:
        return this.#skip(this.#big(4))
      case 0xcc:
      case 0xd0:
        return this.#skip(1)
      case 0xcd:
      case 0xd1:
        return this.#skip(2)
      case 0xca:
      case 0xce:
      case 0xd2:
        return this.#skip(4)
      case 0xcb:
      case 0xcf:
      case 0xd3:
        return this.#skip(8)
      case 0xd9:
        return this.#text(this.#byte())
      case 0xda:
        return this.#text(this.#big(2))
      case 0xdb:
        return this.#text(this.#big(4))
      case 0xdc:
        return this.#array(this.#big(2), depth)
      case 0xdd:
        return this.#array(this.#big(4), depth)
      case 0xde:
        return this.#map(this.#big(2), depth)
      case 0xdf:
        return this.#map(this.#big(4), depth)
      default:
        return this.#extension(tag)
    }
  }

  #array(count: number, depth: number): void {
    if (count > this.#bytes.length - this.#at) throw badFrame(`an array of ${count} in ${this.#bytes.length} bytes`)
    for (let i = 0; i < count; i++) this.#value(depth + 1)
  }

  #map(count: number, depth: number): void {
    if (count * 2 > this.#bytes.length - this.#at) throw badFrame(`a map of ${count} in ${this.#bytes.length} bytes`)
    for (let i = 0; i < count; i++) {
      const tag = this.#bytes[this.#at] ?? 0
      if (!((tag >= 0xa0 && tag < 0xc0) || (tag >= 0xd9 && tag <= 0xdb))) throw badFrame('a key that is not a text')
      this.hasProtoKey ||= tag > 0xc0 || (tag === 0xa9 && this.#bytes[this.#at + 1] === 0x5f)
      this.#value(depth + 1)
      this.#value(depth + 1)
    }
  }

  #text(length: number): void {
    const start = this.#at
    this.#skip(length)
    let at = start
    if (length < 64) while (at < this.#at && (this.#bytes[at] ?? 0) < 0x80) at++
    else this.hasLongText = true
    if (at < this.#at && !isUtf8(this.#bytes.subarray(at, this.#at))) throw badFrame('a text that is not UTF-8')
  }

  /** `undefined` (type 0, one byte) and points in time (type −1) are the only ones. */
  #extension(tag: number): void {
    if (tag === 0xd4 && this.#big(2) === 0) return
    const length = tag === 0xd6 ? 4 : tag === 0xd7 ? 8 : tag === 0xc7 && this.#byte() === 12 ? 12 : 0
    if (length === 0 || this.#byte() !== 0xff) throw badFrame('a value of an unknown type')
    this.#skip(length)
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw badFrame('a value that ends too early')
    return byte
  }

  #big(bytes: 2 | 4): number {
    const at = this.#at
    this.#skip(bytes)
    return bytes === 2 ? this.#bytes.readUInt16BE(at) : this.#bytes.readUInt32BE(at)
  }

  #skip(length: number): void {
    this.#at += length
    if (this.#at > this.#bytes.length) throw badFrame('a value that ends too early')
  }
}
