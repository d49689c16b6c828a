/**
 * What strace wrote of several processes. One strace follows all of them, and notes when each call began and when it ended, in
 * one file: a thread does not go on before that is noted, so the order of the lines is the order of the events, and no clock
 * is needed.
 */

/** One call of the system, as it begins or ends. */
export interface Call {
  readonly name: string
  readonly arguments: string
  /** What it gave back; null: it begins. */
  readonly result: string | null
}

/** The calls for which strace is asked. */
export const CALLS = 'openat,write,writev,pwrite64,pwritev,sendto,sendmsg,fdatasync,fsync'

const WHOLE = /^(\d+) +(\w+)\((.*)\) += (.*)$/
const BEGUN = /^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$/
const RESUMED = /^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (.*)$/

/** Each call twice, as it begins and as it ends. */
export function* callsOf(lines: Iterable<string>): Generator<Call> {
  const begun = new Map<string, string>()
  for (const line of lines) {
    const [, thread = '', name = '', text = '', result = null] = WHOLE.exec(line) ?? BEGUN.exec(line) ?? []
    const [, again = '', resumed = '', rest = '', outcome = ''] = RESUMED.exec(line) ?? []
    if (resumed !== '') {
      yield { name: resumed, arguments: (begun.get(again) ?? '') + rest, result: outcome }
    } else if (name !== '') {
      begun.set(thread, text)
      yield { name, arguments: text, result: null }
      if (result !== null) yield { name, arguments: text, result }
    }
  }
}

/** `number<path>`, as strace tells descriptors and what they are. */
export function descriptorOf(text: string): { readonly number: number; readonly path: string } {
  const [, number = '-1', path = ''] = /^(\d+)<(.*?)>/.exec(text) ?? []
  return { number: Number(number), path: bytesOf(path).toString() }
}

/** All bytes of the buffers among the arguments, one behind the other. */
export function buffersOf(text: string): Buffer {
  return Buffer.concat(
    [...text.matchAll(/"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?/g)].map(([, hex = '', cut]) => {
      if (cut !== undefined) throw new Error('strace was asked to show less than what was written')
      return bytesOf(hex)
    }),
  )
}

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.replaceAll('\\x', ''), 'hex')
}

/** The frames that a server sends over a WebSocket that it has accepted. */
export class Accepted {
  #bytes = Buffer.alloc(0)
  /** Not known yet, or: it is one. */
  #isOne: boolean | null = null

  /** The frames that are whole with these bytes. Of other connections there are none. */
  frames(more: Buffer): Buffer[] {
    if (this.#isOne === false) return []
    this.#bytes = Buffer.concat([this.#bytes, more])
    if (this.#isOne === null) {
      this.#isOne = this.#bytes.toString('latin1').startsWith('HTTP/1.1 101')
      const end = this.#bytes.indexOf('\r\n\r\n')
      if (this.#isOne && end < 0) throw new Error('the answer to an upgrade was not written at once')
      if (!this.#isOne) return []
      this.#bytes = this.#bytes.subarray(end + 4)
    }
    const frames: Buffer[] = []
    for (let frame = this.#next(); frame !== null; frame = this.#next()) frames.push(frame)
    return frames
  }

  /** RFC 6455, section 5.2; what a server sends is not masked. */
  #next(): Buffer | null {
    const bytes = this.#bytes
    if (bytes.length < 2) return null
    const short = bytes.readUInt8(1)
    const start = short < 126 ? 2 : short === 126 ? 4 : 10
    if (bytes.length < start) return null
    const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
    if (bytes.length < start + length) return null
    this.#bytes = bytes.subarray(start + length)
    return bytes.subarray(start, start + length)
  }
}
