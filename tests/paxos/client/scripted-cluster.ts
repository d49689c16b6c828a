/**
 * Servers for tests of the client: they speak the wire's frames over a MemoryNetwork, and share one log, with the real
 * session table behind it. A test scripts what becomes of each frame.
 */
import { defineService, Refusal } from '@synod/paxos'
import type { SynodError } from '@synod/paxos'
import { Client } from '@synod/paxos/internal/client/client'
import type { Reply } from '@synod/paxos/internal/protocol/command'
import { SessionTable } from '@synod/paxos/internal/protocol/session'
import { admitRead, machineOf } from '@synod/paxos/internal/service/service-codec'
import { decodeClientFrame, decodeHello, encodeFrame } from '@synod/paxos/internal/transport/codec'
import type { Frame } from '@synod/paxos/internal/transport/codec'
import { MemoryNetwork } from '@synod/paxos/internal/transport/memory-transport'
import type { Connection } from '@synod/paxos/internal/transport/transport'
import { rejectionOf } from '@synod/paxos/internal/transport/read-frames'
import type { Answer, ClientFrame, ServerFrame } from '@synod/paxos/internal/transport/wire'
import { z } from 'zod'
import { ManualClock } from '../manual-clock.js'

export type Op = { readonly add: number } | { readonly refuse: string } | { readonly get: string }

/** Sums numbers up; `executed` tells of each execution. */
export const executed: number[] = []
export const sums = defineService({
  name: 'sums',
  op: z.union([
    z.strictObject({ add: z.int() }),
    z.strictObject({ refuse: z.string() }),
    z.strictObject({ get: z.string() }),
  ]),
  readOnly: (op) => 'get' in op,
  state: () => {
    let sum = 0
    return {
      execute: (_slot: number, { op }: { readonly op: Op }): number => {
        if ('get' in op) {
          if (op.get === 'no') throw new Refusal('NO', 'nothing to tell', { sum })
          if (op.get === 'fail') throw new Error('a bug')
          return sum
        }
        if ('refuse' in op) throw new Refusal('NO', op.refuse, { sum })
        executed.push(op.add)
        return (sum += op.add)
      },
      snapshot: () => [sum],
      restore: () => undefined,
    }
  },
})

export type ReadFrame = Extract<ClientFrame, { type: 'read' }>
type AnswersFrame = Extract<ServerFrame, { type: 'answers' }>

/** What a server does with a client's frame; without a script it executes and answers. */
export type Script = (frame: ClientFrame, server: ScriptedServer, connection: Connection) => void

export class ScriptedCluster {
  readonly clock = new ManualClock()
  readonly network = new MemoryNetwork(this.clock)
  readonly #table = new SessionTable(() => undefined)
  readonly #parts = machineOf(sums)
  #slot = 0

  constructor() {
    executed.length = 0
  }

  async server(address: string, script?: Script): Promise<ScriptedServer> {
    const server = new ScriptedServer(this, address)
    if (script !== undefined) server.script = script
    await server.start()
    return server
  }

  client(servers: readonly string[], timeout = 10_000, discover = true): Client<Op, number> {
    return new Client<Op, number>(sums, { servers, timeout, discover }, this.network.dialer('client'), this.clock)
  }

  /** All sessions expire. */
  expireSessions(): void {
    for (const clientId of [...this.#table.clientIds]) this.#table.end(clientId)
  }

  /** As the state is now. */
  read(frame: ReadFrame): AnswersFrame {
    const answers = frame.ops.map((op, at): Answer => {
      const number = frame.first + at
      try {
        return { number, ...this.#parts.read(this.#slot, admitRead(sums, op)) }
      } catch (error) {
        return { number, status: 'rejected', value: rejectionOf(error as SynodError) }
      }
    })
    return { type: 'answers', slot: this.#slot, answers }
  }

  execute(frame: ClientFrame): Reply[] {
    if (frame.type === 'open') {
      const clientId = this.#table.open(++this.#slot, frame.nonce)
      return [{ clientId: frame.nonce, localId: 0, result: { status: 'ok', value: Buffer.from(clientId) } }]
    }
    if (frame.type !== 'submit') return []
    const { clientId, acked } = frame
    return frame.commands.map(([localId, op]) => ({
      clientId,
      localId,
      result: this.#table.execute(
        ++this.#slot,
        { kind: 'op', clientId, localId, acked, op },
        this.#parts.machine,
        () => undefined,
      ),
    }))
  }
}

/** The numbers of a frame of reads. */
export function numbersOf({ first, ops }: ReadFrame): number[] {
  return ops.map((_, at) => first + at)
}

export class ScriptedServer {
  readonly frames: ClientFrame[] = []
  script: Script = (frame, server, connection) => server.answer(frame, connection)
  greeting: Frame = { type: 'welcome', server: 0, servers: [], leader: null }
  /** It answers who asks who leads. */
  isThere = true
  /** It welcomes nobody. */
  isDumb = false
  /** How many it has welcomed. */
  greeted = 0
  readonly #connections = new Set<Connection>()
  readonly #cluster: ScriptedCluster
  readonly #address: string

  constructor(cluster: ScriptedCluster, address: string) {
    this.#cluster = cluster
    this.#address = address
  }

  async start(): Promise<void> {
    await this.#cluster.network.transport(this.#address).listen((connection) => {
      let greeted = false
      return {
        opened: () => undefined,
        frame: (bytes) => {
          if (greeted) {
            const frame = decodeClientFrame(bytes)
            if (frame.type === 'leader') return this.isThere ? this.#tellLeader(connection) : undefined
            this.frames.push(frame)
            this.script(frame, this, connection)
          } else {
            decodeHello(bytes)
            if (this.isDumb) return
            greeted = true
            this.greeted++
            this.#connections.add(connection)
            this.send(connection, this.greeting)
          }
        },
        closed: () => void this.#connections.delete(connection),
      }
    })
  }

  /** It is there, whatever becomes of the commands. */
  #tellLeader(connection: Connection): void {
    if (this.greeting.type === 'welcome') this.send(connection, { type: 'leader', leader: this.greeting.leader })
  }

  /** The submitted commands' numbers, frame by frame. */
  get submitted(): number[][] {
    return this.frames.flatMap((frame) => (frame.type === 'submit' ? [frame.commands.map(([localId]) => localId)] : []))
  }

  /** The watermarks that came, frame by frame. */
  get acked(): number[] {
    return this.frames.flatMap((frame) => (frame.type === 'submit' ? [frame.acked] : []))
  }

  execute(frame: ClientFrame): Reply[] {
    return this.#cluster.execute(frame)
  }

  answer(frame: ClientFrame, connection: Connection): void {
    if (frame.type === 'read') return this.send(connection, this.#cluster.read(frame))
    this.send(connection, { type: 'replies', replies: this.execute(frame) })
  }

  busy(frame: ClientFrame, connection: Connection): void {
    if (frame.type === 'read') return this.turnDown(frame, connection, 'busy', new Uint8Array(0))
    const result = { status: 'busy', value: new Uint8Array(0) } as const
    const replies =
      frame.type === 'submit'
        ? frame.commands.map(([localId]) => ({ clientId: frame.clientId, localId, result }))
        : frame.type === 'open'
          ? [{ clientId: frame.nonce, localId: 0, result }]
          : []
    this.send(connection, { type: 'replies', replies })
  }

  /** Answers all reads of a frame alike. */
  turnDown(frame: ReadFrame, connection: Connection, status: Answer['status'], value: Uint8Array): void {
    const answers = numbersOf(frame).map((number) => ({ number, status, value }))
    this.send(connection, { type: 'answers', slot: 0, answers })
  }

  /** The numbers of reads, frame by frame. */
  get reads(): number[][] {
    return this.frames.flatMap((frame) => (frame.type === 'read' ? [numbersOf(frame)] : []))
  }

  tellAll(frame: Frame): void {
    for (const connection of this.#connections) this.send(connection, frame)
  }

  send(connection: Connection, frame: Frame): void {
    connection.send(encodeFrame(frame))
  }
}
