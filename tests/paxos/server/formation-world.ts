/** Servers that form a cluster, as tests tell it: who hears whom, what that leads to, and what is written. */
import { FormationMachine } from '@synod/paxos/internal/server/formation'
import type { FormationStart } from '@synod/paxos/internal/server/formation'
import type { PeerHello } from '@synod/paxos/internal/transport/wire'
import { WIRE_VERSION } from '@synod/paxos/internal/transport/wire'

export const A = 'a'.repeat(32)
export const B = 'b'.repeat(32)

/** Formation machines of servers, that hear each other's hellos. Each write is durable at once. */
export class World {
  readonly #machines = new Map<number, FormationMachine>()
  readonly #starts = new Map<number, FormationStart>()
  readonly #batchSeen = new Map<string, number>()
  /** What each server knows of the lives of all. */
  readonly #lives = new Map<number, number[]>()
  readonly lines: string[] = []

  /** Starts a server from a directory; its mint is A for server 0, and B for others. */
  start(id: number, directory: Partial<FormationStart> = {}): this {
    const start: FormationStart = {
      id,
      count: 3,
      service: 'counter',
      formation: 'empty',
      clusterId: null,
      batch: 0,
      mint: id === 0 ? A : B,
      repair: false,
      ...directory,
    }
    this.#starts.set(id, start)
    this.#machines.set(id, new FormationMachine(start, (server) => this.#life(id, server)))
    this.#note(id, `${id} starts ${start.formation}${start.repair ? ', to be repaired' : ''}`)
    return this
  }

  /** Server `id` knows that `server` was repaired so often. */
  knows(id: number, server: number, life: number): this {
    const lives = this.#lives.get(id) ?? []
    lives[server] = life
    this.#lives.set(id, lives)
    return this
  }

  /** The repair of server `id` has ended, in this life. */
  repaired(id: number, life: number): this {
    this.knows(id, id, life).machine(id).repaired()
    this.#note(id, `${id} is repaired, ${this.machine(id).formation}`)
    return this
  }

  #life(id: number, server: number): number {
    return this.#lives.get(id)?.[server] ?? 0
  }

  /** Server `peer` remembers that server `id` came to this batch. */
  remember(peer: number, id: number, batch: number): this {
    this.#batchSeen.set(`${peer} ${id}`, batch)
    return this
  }

  /** Server `id` dials `peer`, and hears its hello, with changes. */
  hears(id: number, peer: number, changes: Partial<PeerHello> = {}): this {
    const verdict = this.machine(id).hear(peer, { ...this.#hello(peer, id), ...changes })
    this.#note(
      id,
      `${id} hears ${peer}: ${verdict.type === 'accept' ? 'accept' : `${verdict.type} ${verdict.error.code}`}`,
    )
    return this
  }

  machine(id: number): FormationMachine {
    const machine = this.#machines.get(id)
    if (machine === undefined) throw new Error(`server ${id} was not started`)
    return machine
  }

  /** A line, and what is written because of it. */
  #note(id: number, line: string): void {
    let text = line
    const machine = this.machine(id)
    for (let write = machine.next(); write !== null; write = machine.next()) {
      text += write.type === 'form' ? `, joins ${write.clusterId.slice(0, 1)}` : ', formed'
      machine.written()
      if (machine.formation === 'repairing') text += ', repairing'
    }
    this.lines.push(text)
  }

  #hello(from: number, to: number): PeerHello {
    const { count, service } = this.#starts.get(from) ?? { count: 3, service: 'counter' }
    const { formation, clusterId } = this.machine(from)
    const batchSeen = this.#batchSeen.get(`${from} ${to}`) ?? 0
    const who = { type: 'peer', version: WIRE_VERSION, service, from, to, count } as const
    const lives = { life: this.#life(from, from), lifeSeen: this.#life(from, to) }
    return { ...who, formation, repair: this.#starts.get(from)?.repair === true, clusterId, ...lives, batchSeen }
  }
}

/** What an empty server says, with changes. */
export function hello(from: number, to: number, changes: Partial<PeerHello>): PeerHello {
  const plain = { service: 'counter', count: 3, formation: 'empty', repair: false, clusterId: null } as const
  return { type: 'peer', version: WIRE_VERSION, from, to, ...plain, life: 0, lifeSeen: 0, batchSeen: 0, ...changes }
}
