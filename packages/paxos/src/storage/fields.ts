/**
 * The fields of a log record, read one after the other from its bytes. A start decodes millions of them: nothing is built
 * that is not asked for. (Former releases wrote numbers and texts in other forms, too: all of those are read.)
 */

const LOW = 0x1_0000_0000

/** Reads MessagePack: integers, texts, bytes and arrays. Throws RangeError for whatever is not as asked for. */
export class Fields {
  readonly #bytes: Buffer
  readonly #start: number
  readonly #end: number
  #at: number

  /** @param bytes what {@link bytes} gives are views of them; the record stands between `start` and `end` */
  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes
    this.#start = start
    this.#end = end
    this.#at = start
  }

  /** The length of the array that follows. There are at least so many bytes left. */
  array(): number {
    const tag = this.#byte()
    const count =
      tag >= 0x90 && tag < 0xa0 ? tag & 0xf : tag === 0xdc ? this.#big(2) : tag === 0xdd ? this.#big(4) : undefined
    if (count === undefined || count > this.#end - this.#at) throw this.#wrong('an array')
    return count
  }

  /** The array that follows must have so many values. */
  fields(count: number): void {
    if (this.array() !== count) throw this.#wrong(`${count} fields`)
  }

  /** A safe non-negative integer. */
  integer(): number {
    const tag = this.#byte()
    if (tag < 0x80) return tag
    if (tag === 0xcc) return this.#byte()
    if (tag === 0xcd) return this.#big(2)
    if (tag === 0xce) return this.#big(4)
    const value = tag === 0xcf ? this.#big(4) * LOW + this.#big(4) : tag === 0xcb ? this.#double() : NaN
    if (!Number.isSafeInteger(value) || value < 0) throw this.#wrong('a non-negative integer')
    return value
  }

  text(): string {
    const tag = this.#byte()
    const length =
      tag >= 0xa0 && tag < 0xc0
        ? tag & 0x1f
        : tag === 0xd9
          ? this.#byte()
          : tag === 0xda
            ? this.#big(2)
            : tag === 0xdb
              ? this.#big(4)
              : undefined
    if (length === undefined) throw this.#wrong('a text')
    const start = this.#skip(length)
    return texts.read(this.#bytes, start, this.#at)
  }

  bytes(): Uint8Array {
    const tag = this.#byte()
    const length = tag === 0xc4 ? this.#byte() : tag === 0xc5 ? this.#big(2) : tag === 0xc6 ? this.#big(4) : undefined
    if (length === undefined) throw this.#wrong('bytes')
    const start = this.#skip(length)
    return this.#bytes.subarray(start, this.#at)
  }

  /** All was read: gives back what was made of it. */
  end<T>(made: T): T {
    if (this.#at !== this.#end) throw this.#wrong('the end')
    return made
  }

  #byte(): number {
    if (this.#at >= this.#end) throw this.#wrong('more')
    return this.#bytes[this.#at++] ?? 0
  }

  #big(bytes: 2 | 4): number {
    const start = this.#skip(bytes)
    return bytes === 2 ? this.#bytes.readUInt16BE(start) : this.#bytes.readUInt32BE(start)
  }

  #double(): number {
    return this.#bytes.readDoubleBE(this.#skip(8))
  }

  /** Passes over so many bytes; returns where they begin. */
  #skip(length: number): number {
    if (length > this.#end - this.#at) throw this.#wrong('more')
    this.#at += length
    return this.#at - length
  }

  #wrong(expected: string): RangeError {
    return new RangeError(`a record with something else than ${expected} at byte ${this.#at - this.#start} of it`)
  }
}

/**
 * Texts that were read before: the names of sessions come again and again, and need not be made, nor kept, more than once.
 */
class Texts {
  readonly #known: string[] = new Array<string>(KNOWN).fill('')

  /** The text in the bytes between `start` and `end`. */
  read(bytes: Buffer, start: number, end: number): string {
    const length = end - start
    if (length > LONGEST) return bytes.toString('utf8', start, end)
    let hash = length
    for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + (bytes[at] ?? 0)) | 0
    const place = hash & (KNOWN - 1)
    const known = this.#known[place] ?? ''
    if (isText(known, bytes, start, length)) return known
    const text = bytes.toString('utf8', start, end)
    this.#known[place] = text
    return text
  }
}

/** A power of two. */
const KNOWN = 1024
/** Longer texts are not kept (bytes). */
const LONGEST = 64

/** Whether the bytes are this text, and ASCII. */
function isText(text: string, bytes: Buffer, start: number, length: number): boolean {
  if (text.length !== length) return false
  for (let i = 0; i < length; i++) {
    const byte = bytes[start + i] ?? 0
    if (byte >= 0x80 || byte !== text.charCodeAt(i)) return false
  }
  return true
}

const texts = new Texts()
