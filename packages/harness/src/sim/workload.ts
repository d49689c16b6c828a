/** The clients of a simulation: real ones, several commands in flight, each of whose outcomes is noted. */
import { ClientError } from '@synod/paxos/internal/client/error'
import { Client } from '@synod/paxos/internal/client/client'
import type { Prng } from '@synod/paxos/internal/protocol/prng'
import type { Cluster } from './cluster.js'
import type { Operation } from './judge.js'
import type { Entry } from './ledger.js'
import { ledger } from './ledger.js'
import type { VirtualTime } from './time.js'

export interface WorkloadOptions {
  readonly cluster: Cluster
  readonly time: VirtualTime
  readonly prng: Prng
  /** Commands of all clients together. */
  readonly commands: number
  /** The commands are spread over this time (ms). */
  readonly until: number
  readonly trace: (line: string) => void
  readonly failed: (error: unknown) => void
}

export class Workload {
  readonly operations: Operation[] = []
  readonly #options: WorkloadOptions
  #clients = 0
  #lanes = 0

  constructor(options: WorkloadOptions) {
    this.#options = options
  }

  /** Whether every command has an outcome. */
  get done(): boolean {
    return this.#lanes === 0
  }

  count(outcome: Operation['outcome']): number {
    return this.operations.filter((operation) => operation.outcome === outcome).length
  }

  report(): string {
    return `${this.count('ok')} operations acknowledged, ${this.count('unknown')} unknown, ${this.count('pending')} pending`
  }

  start(): void {
    const { prng, commands } = this.#options
    this.#clients = 1 + prng.below(4)
    for (let client = 0; client < this.#clients; client++) {
      const lanes = prng.pick([1, 1, 4])
      const numbers = { next: 1, last: Math.ceil(commands / this.#clients) }
      const connection = this.#connect(client)
      for (let lane = 0; lane < lanes; lane++) {
        this.#lanes++
        this.#run(client, connection, numbers).then(() => {
          this.#lanes--
        }, this.#options.failed)
      }
    }
  }

  /** One more command, after healing: when it is done, a leader knows all that was decided before. */
  barrier(): void {
    this.#lanes++
    const client = this.#clients
    this.#run(client, this.#connect(client), { next: 1, last: 1 }).then(() => {
      this.#lanes--
    }, this.#options.failed)
  }

  #connect(client: number): Client<Entry, number> {
    const { cluster, time, prng } = this.#options
    const servers = [...cluster.addresses].sort(() => prng.float() - 0.5)
    return new Client(ledger(), { servers }, cluster.network.transport(`client:${client}`), time.life().clock)
  }

  /** One lane: the client's next command, when the last one of this lane has its outcome. */
  async #run(
    client: number,
    connection: Client<Entry, number>,
    numbers: { next: number; last: number },
  ): Promise<void> {
    const { time, prng, until } = this.#options
    const pause = until / numbers.last
    while (numbers.next <= numbers.last) {
      const operation: Operation = {
        entry: { client, number: numbers.next++ },
        invokedAt: time.now,
        outcome: 'pending',
        place: -1,
        completedAt: 0,
      }
      this.operations.push(operation)
      await this.#submit(connection, operation)
      await new Promise<void>((resolve) => time.after(pause * 2 * prng.float(), resolve))
    }
  }

  async #submit(connection: Client<Entry, number>, operation: Operation): Promise<void> {
    const { time, prng, trace } = this.#options
    const name = `${operation.entry.client}/${operation.entry.number}`
    trace(`invoke ${name}`)
    try {
      operation.place = await connection.submit(operation.entry, { timeout: prng.pick([1_000, 10_000, 60_000]) })
      operation.outcome = 'ok'
    } catch (error) {
      if (!(error instanceof ClientError)) throw error
      operation.outcome = error.mayHaveHappened ? 'unknown' : 'none'
      trace(`${name}: ${error.code}`)
    }
    operation.completedAt = time.now
    trace(`${operation.outcome} ${name} ${operation.place}`)
  }
}
