/** What the server's tests need: a small service, free ports and directories, and a client that speaks raw frames. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineService, Refusal } from '@synod/paxos'
import type { Command, State } from '@synod/paxos'
import type { Timing } from '@synod/paxos/internal/protocol/config'
import { serve } from '@synod/paxos/internal/server/serve'
import type { RunningServer, ServeOptions } from '@synod/paxos/internal/server/serve'
import { encodeOp } from '@synod/paxos/internal/service/service-codec'
import { decodeServerFrame, encodeFrame } from '@synod/paxos/internal/transport/codec'
import type { Frame } from '@synod/paxos/internal/transport/codec'
import type { Connection } from '@synod/paxos/internal/transport/transport'
import { WIRE_VERSION } from '@synod/paxos/internal/transport/wire'
import { WebSocketDialer } from '@synod/paxos/internal/transport/ws-dialer'
import { z } from 'zod'

const add = z.strictObject({ by: z.int() })
type Add = z.output<typeof add>

/** Adds numbers; refuses to go below zero. */
class Counter implements State<Add, number> {
  #value = 0

  execute(_slot: number, command: Command<Add>): number {
    if (this.#value + command.op.by < 0) throw new Refusal('BELOW_ZERO', 'the counter cannot go below zero')
    return (this.#value += command.op.by)
  }

  *snapshot(): Iterable<unknown> {
    yield this.#value
  }

  restore(entries: Iterable<unknown>): void {
    for (const entry of entries) this.#value = entry as number
  }
}

export const counter = defineService({ name: 'counter', op: add, state: () => new Counter() })

/** Gives the condition's first value that is not undefined, null or false, or fails after `ms`. */
export async function until<T>(what: string, condition: () => T | undefined | null | false, ms = 10_000): Promise<T> {
  const deadline = performance.now() + ms
  for (;;) {
    const value = condition()
    if (value !== undefined && value !== null && value !== false) return value
    if (performance.now() > deadline) throw new Error(`waited ${ms} ms in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Why a server ended by itself. Fails if it does not. */
export async function ending(server: RunningServer): Promise<unknown> {
  let error: unknown
  void server.stopped.then((reason) => (error = reason))
  return until('the server ends', () => error)
}

/** Addresses on this machine that were free just now. */
export async function freeAddresses(count: number): Promise<string[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer()
      return new Promise<ReturnType<typeof createServer>>((resolve) => {
        server.listen(0, '127.0.0.1', () => {
          resolve(server)
        })
      })
    }),
  )
  const addresses = servers.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return addresses
}

/** A directory that the test removes when it ends. */
export function temporaryDirectory(t: { teardown(call: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'synod-server-'))
  t.teardown(() => {
    rmSync(directory, { recursive: true, force: true })
  })
  return directory
}

type Received = ReturnType<typeof decodeServerFrame>

/** A client, or a stranger, that sends what it likes. */
export class RawClient {
  readonly #dialer = new WebSocketDialer()
  readonly #connection: Connection
  readonly frames: Received[] = []
  /** Frames as they came. */
  readonly raw: Uint8Array[] = []
  closed: string | null = null
  #opened = false

  constructor(address: string) {
    this.#connection = this.#dialer.dial(address, {
      opened: () => {
        this.#opened = true
      },
      frame: (bytes) => {
        this.raw.push(bytes)
        try {
          this.frames.push(decodeServerFrame(bytes))
        } catch {
          // Between servers: in `raw` only.
        }
      },
      closed: (reason) => {
        this.closed = reason
      },
    })
  }

  async open(): Promise<this> {
    await until('the connection opens', () => this.#opened)
    return this
  }

  /** Says hello as a client. */
  async hello(service = 'counter'): Promise<this> {
    await this.open()
    return this.send({ type: 'client', version: WIRE_VERSION, service })
  }

  send(frame: Frame): this {
    return this.sendBytes(encodeFrame(frame))
  }

  sendBytes(bytes: Uint8Array): this {
    this.#connection.send(bytes)
    return this
  }

  /** The first frame of this type from the `from`-th on. */
  next<Type extends Received['type']>(type: Type, from = 0): Promise<Extract<Received, { type: Type }>> {
    return until(`a frame of type ${type}`, () => {
      const found = this.frames.slice(from).find((frame) => frame.type === type)
      return found as Extract<Received, { type: Type }> | undefined
    })
  }

  /** The outcome of one command. */
  outcome(clientId: string, localId: number): Promise<{ status: string; value: Uint8Array }> {
    return until(`the outcome of ${localId}`, () => {
      for (const frame of this.frames) {
        if (frame.type !== 'replies') continue
        const reply = frame.replies.find((reply) => reply.clientId === clientId && reply.localId === localId)
        if (reply !== undefined) return reply.result
      }
      return undefined
    })
  }

  /** Sends one operation of a session, and gives its outcome. */
  submit(clientId: string, localId: number, op: Uint8Array): Promise<{ status: string; value: Uint8Array }> {
    this.send({ type: 'submit', clientId, acked: 0, commands: [[localId, op]] })
    return this.outcome(clientId, localId)
  }

  /** Opens a session and gives its client id. */
  async session(nonce: string): Promise<string> {
    this.send({ type: 'open', nonce })
    const { value } = await this.outcome(nonce, 0)
    return Buffer.from(value).toString()
  }

  /** Why the server closed the connection: the code of its goodbye. */
  async goodbye(): Promise<string> {
    await until('the connection is closed', () => this.closed !== null)
    const frame = this.frames.at(-1)
    return frame?.type === 'goodbye' ? frame.code : `no goodbye, but: ${this.closed ?? ''}`
  }

  end(): Promise<void> {
    return this.#dialer.close('the test ends')
  }
}

/** Short times, so that tests need not wait; long enough for a busy machine. */
export const QUICK: Timing = { heartbeat: 50, election: 250, resend: 250, sessionTtl: 3_600_000, lease: 0, drift: 0 }

/** What a test that starts servers is given. */
interface Test {
  teardown(call: () => void | Promise<void>): void
}

/** A cluster of real servers on real sockets and directories, that ends with the test. */
export class Cluster {
  readonly #running = new Map<number, RunningServer>()
  readonly #t: Test
  readonly addresses: readonly string[]
  readonly directory: string
  /** All warnings, in order. */
  readonly warnings: string[] = []

  private constructor(t: Test, addresses: readonly string[]) {
    this.#t = t
    this.addresses = addresses
    this.directory = temporaryDirectory(t)
    t.teardown(() => this.stop())
  }

  static async of(t: Test, count: number): Promise<Cluster> {
    return new Cluster(t, await freeAddresses(count))
  }

  /** Where a server keeps its data. */
  dataDir(id: number): string {
    return join(this.directory, `${id}`)
  }

  /** Starts a server, with changed options. */
  async start(id: number, options: Partial<ServeOptions> = {}): Promise<RunningServer> {
    const server = await serve(counter, {
      id,
      peers: this.addresses,
      dataDir: this.dataDir(id),
      timing: QUICK,
      onWarning: (line) => this.warnings.push(line),
      ...options,
    })
    this.#running.set(id, server)
    return server
  }

  /** Starts all servers, and resolves when each of them serves. */
  async startAll(): Promise<readonly RunningServer[]> {
    const servers = await Promise.all(this.addresses.map((_, id) => this.start(id)))
    await Promise.all(servers.map((server) => server.serving))
    return servers
  }

  /** Stops the servers that run. */
  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map((server) => server.close()))
    this.#running.clear()
  }

  /** A client of a server. */
  async client(id: number): Promise<RawClient> {
    const client = new RawClient(this.addresses[id] ?? '')
    this.#t.teardown(() => client.end())
    return client.hello()
  }

  /** A stranger to a server, who has said nothing yet. */
  async stranger(id: number): Promise<RawClient> {
    const client = new RawClient(this.addresses[id] ?? '')
    this.#t.teardown(() => client.end())
    return client.open()
  }
}

/** The counter's operation, as a client sends it. */
export function adding(by: number): Uint8Array {
  return encodeOp(counter, { by }).bytes
}
