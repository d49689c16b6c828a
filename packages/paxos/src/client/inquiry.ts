/** Questions to one server, over a connection of their own: how it stands, what its state and its history are. */
import { Buffer } from 'node:buffer'
import type { AuditMark } from '../protocol/audit.js'
import type { ServerId } from '../protocol/ballot.js'
import type { Slot } from '../protocol/command.js'
import type { Cancel, Clock } from '../clock.js'
import { decodeServerFrame, encodeFrame } from '../transport/codec.js'
import type { Connection, Dialer } from '../transport/transport.js'
import type { ClientFrame, ServerFrame, ServerStatus, StateDigest, Welcome } from '../transport/wire.js'
import { WIRE_VERSION } from '../transport/wire.js'
import { ClientError } from './error.js'
import { isIncompatible } from './link.js'

/** One server's own state, at one slot. */
export interface StateDump {
  /** The last slot that is in it. */
  readonly slot: number
  /** What the state's `snapshot` yields. Can be read once. Fails with a {@link ClientError} if the server goes away. */
  readonly entries: AsyncIterable<unknown>
}

/** A snapshot that a server has written. */
export interface WrittenSnapshot {
  /** The server's address. */
  readonly address: string
  /** The last slot that is in it. */
  readonly slot: number
  /** Of its file, on the server's machine. */
  readonly path: string
}

type DumpFrame = Extract<ServerFrame, { type: 'dump' }>

/** A connection to one server, for one question at a time. */
export class Inquiry {
  readonly #address: string
  readonly #timeout: number
  readonly #clock: Clock
  readonly #connection: Connection
  #answer: { readonly resolve: (frame: ServerFrame) => void; readonly reject: (error: ClientError) => void } | undefined
  /** Asked before the server was ready. */
  #question: ClientFrame | undefined
  #welcome: Welcome | null = null
  #failure: ClientError | undefined
  #cancel: Cancel | undefined
  readonly #ended: Promise<void>

  /**
   * @param service null: whatever is served there
   * @param timeout for each answer (ms)
   * @param ended called when the connection has ended
   */
  constructor(
    service: string | null,
    address: string,
    timeout: number,
    dialer: Dialer,
    clock: Clock,
    ended: () => void = () => undefined,
  ) {
    this.#address = address
    this.#timeout = timeout
    this.#clock = clock
    let end = (): void => undefined
    this.#ended = new Promise((resolve) => {
      end = resolve
    })
    this.#connection = dialer.dial(address, {
      opened: () => this.#connection.send(encodeFrame({ type: 'client', version: WIRE_VERSION, service })),
      frame: (bytes) => this.#receive(bytes),
      closed: (reason) => {
        this.#fail('UNAVAILABLE', reason)
        ended()
        end()
      },
    })
  }

  async status(): Promise<ServerStatus> {
    const frame = await this.#ask({ type: 'status' })
    if (frame.type === 'status') return frame.status
    throw this.#unexpected(frame)
  }

  /** The server's own greeting, once it has come: who it is, and where the others are. */
  get welcome(): Welcome | null {
    return this.#welcome
  }

  /** Has a mark decided, and answers its slot. The same nonce may be sent to other servers, too. */
  async mark(nonce: string): Promise<Slot> {
    const frame = await this.#ask({ type: 'mark', nonce })
    if (frame.type === 'rejected') throw new ClientError('UNAVAILABLE', `${this.#address}: ${frame.message}`)
    const reply = frame.type === 'replies' ? frame.replies.find(({ clientId }) => clientId === nonce) : undefined
    if (reply === undefined) throw this.#unexpected(frame)
    const { status, value } = reply.result
    if (status !== 'ok') throw new ClientError('BUSY', `${this.#address}: the server is too busy`)
    return Number(Buffer.from(value).toString())
  }

  /** What the server's state came to at a mark; null if it does not know. */
  async digest(slot: Slot, timeout = this.#timeout): Promise<StateDigest | null> {
    const frame = await this.#ask({ type: 'digest', slot }, timeout)
    if (frame.type === 'digest' && frame.slot === slot) return frame.digest
    throw this.#unexpected(frame)
  }

  /** The hashes of its history that the server still knows, the oldest first. */
  async chain(): Promise<readonly AuditMark[]> {
    const frame = await this.#ask({ type: 'chain' })
    if (frame.type === 'chain') return frame.marks
    throw this.#unexpected(frame)
  }

  /** Has the server write a snapshot; resolves when that is durable. */
  async snapshot(timeout = this.#timeout): Promise<WrittenSnapshot> {
    const frame = await this.#ask({ type: 'snapshot' }, timeout)
    if (frame.type !== 'snapshot') throw this.#unexpected(frame)
    const { slot, path, error } = frame
    if (error !== null) throw new ClientError('SNAPSHOT_FAILED', `${this.#address}: ${error}`)
    return { address: this.#address, slot, path }
  }

  /** Has the server, which is the leader's, hand leadership over; resolves when that other one leads. */
  async handOver(to: ServerId): Promise<void> {
    const frame = await this.#ask({ type: 'handOver', to })
    if (frame.type !== 'handedOver') throw this.#unexpected(frame)
    if (frame.error !== null) throw new ClientError('TRANSFER_FAILED', `${this.#address}: ${frame.error}`)
  }

  async dump(): Promise<StateDump> {
    const first = await this.#dumpFrame({ type: 'dump' })
    return { slot: first.slot, entries: this.#entries(first) }
  }

  /** Resolves when the connection has ended. */
  close(reason: string): Promise<void> {
    this.#fail('CLOSED', reason)
    this.#connection.close(reason)
    return this.#ended
  }

  async *#entries(first: DumpFrame): AsyncGenerator {
    try {
      for (let chunk = first; ; chunk = await this.#dumpFrame({ type: 'dumpMore' })) {
        yield* chunk.entries
        if (chunk.done) return
      }
    } finally {
      void this.close('the dump is over')
    }
  }

  async #dumpFrame(question: ClientFrame): Promise<DumpFrame> {
    const frame = await this.#ask(question)
    if (frame.type === 'dump') return frame
    throw this.#unexpected(frame)
  }

  #ask(question: ClientFrame, timeout = this.#timeout): Promise<ServerFrame> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure)
      this.#answer = { resolve, reject }
      this.#question = question
      this.#cancel = this.#clock.after(timeout, () => {
        this.#fail('TIMEOUT', `no answer in ${timeout} ms`)
        this.#connection.close('no answer in time')
      })
      if (this.#welcome !== null) this.#send()
    })
  }

  #send(): void {
    if (this.#question !== undefined) this.#connection.send(encodeFrame(this.#question))
    this.#question = undefined
  }

  #receive(bytes: Uint8Array): void {
    let frame: ReturnType<typeof decodeServerFrame>
    try {
      frame = decodeServerFrame(bytes)
    } catch (error) {
      this.#fail('UNAVAILABLE', error instanceof Error ? error.message : String(error))
      return this.#connection.close('BAD_FRAME')
    }
    if (frame.type === 'welcome') {
      this.#welcome = frame
      this.#send()
    } else if (frame.type === 'goodbye') {
      this.#fail(isIncompatible(frame) ? 'INCOMPATIBLE' : frame.code === 'BUSY' ? 'BUSY' : 'UNAVAILABLE', frame.message)
    } else if (frame.type !== 'leader') {
      // (Who leads is news to the others.)
      this.#cancel?.()
      this.#answer?.resolve(frame)
      this.#answer = undefined
    }
  }

  /** The first failure is what every question is told. */
  #fail(code: ClientError['code'], reason: string): void {
    this.#cancel?.()
    this.#failure ??= new ClientError(code, `${this.#address}: ${reason}`)
    this.#answer?.reject(this.#failure)
    this.#answer = undefined
  }

  #unexpected(frame: ServerFrame): ClientError {
    this.#fail('UNAVAILABLE', `an answer of type ${frame.type} that nobody had asked for`)
    this.#connection.close('BAD_FRAME')
    return this.#failure ?? new ClientError('UNAVAILABLE', this.#address)
  }
}
