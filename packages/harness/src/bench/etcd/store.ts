/**
 * A client of etcd: its gRPC calls over one connection of HTTP/2. It is our own, and speaks no more than the bench needs, since
 * the libraries (@grpc/grpc-js, and etcd3 on top of it) take two and three times the processor time by call, and would hold
 * etcd back on a machine that both share; etcd's JSON gateway costs etcd twice as much as gRPC does.
 */
import { connect } from 'node:http2'
import type { IncomingHttpHeaders } from 'node:http'
import type { ClientHttp2Session } from 'node:http2'
import type { Store } from '../load.js'

/** MiB that a session may hold: large values wait for etcd in it. */
const SESSION_MEMORY = 1024

export class EtcdStore implements Store {
  readonly #session: ClientHttp2Session
  #failure: Error | undefined

  /** @param address `host:port` of one server */
  constructor(address: string) {
    this.#session = connect(`http://${address}`, { maxSessionMemory: SESSION_MEMORY })
    this.#session.on('error', (error: Error) => (this.#failure = error))
  }

  /** A linearizable one. */
  get(key: string): Promise<unknown> {
    return this.#call('Range', field(1, key))
  }

  set(key: string, value: string): Promise<unknown> {
    return this.#call('Put', pair(key, value))
  }

  cas(key: string, expected: string, value: string): Promise<unknown> {
    // Compare: the result is EQUAL by default, the target is VALUE.
    const compare = field(
      1,
      Buffer.concat([Buffer.from([TARGET_FIELD << 3, VALUE]), field(3, key), field(7, expected)]),
    )
    const success = field(2, field(2, pair(key, value)))
    return this.#call('Txn', Buffer.concat([compare, success]))
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#session.destroyed) resolve()
      else this.#session.close(resolve)
    })
  }

  #call(method: string, message: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const stream = this.#session.request({
        ':method': 'POST',
        ':path': `/etcdserverpb.KV/${method}`,
        'content-type': 'application/grpc',
        te: 'trailers',
      })
      let status: unknown
      let bytes = 0
      // An answer without a message has its status in the headers.
      stream.on('response', (headers) => (status = headers['grpc-status']))
      stream.on('trailers', (trailers: IncomingHttpHeaders) => (status = trailers['grpc-status']))
      stream.on('data', (chunk: Buffer) => (bytes += chunk.length))
      stream.on('error', (error: Error) => {
        reject(this.#failure ?? error)
      })
      stream.on('end', () => {
        if (status === '0' && bytes >= PREFIX) resolve()
        else reject(new Error(`gRPC status ${String(status)}`))
      })
      const prefix = Buffer.alloc(PREFIX)
      prefix.writeUInt32BE(message.length, 1)
      stream.end(Buffer.concat([prefix, message]))
    })
  }
}

/** Before a message: a flag, and its length. */
const PREFIX = 5
const TARGET_FIELD = 2
const VALUE = 3
/** Of fields in protobuf whose length comes first. */
const LENGTH_DELIMITED = 2

function pair(key: string, value: string): Buffer {
  return Buffer.concat([field(1, key), field(2, value)])
}

/** A field of a protobuf message. */
function field(number: number, content: string | Buffer): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  return Buffer.concat([Buffer.from([(number << 3) | LENGTH_DELIMITED, ...varint(bytes.length)]), bytes])
}

function varint(number: number): number[] {
  return number < 0x80 ? [number] : [(number & 0x7f) | 0x80, ...varint(number >>> 7)]
}
