/** The servers of a simulation: the real `Server` and `FileStorage`, over simulated disks, network and time. */
import type { ServerId } from '@synod/paxos/internal/protocol/ballot'
import { unpackValue } from '@synod/paxos/internal/codec/values'
import type { Limits, Timing } from '@synod/paxos/internal/protocol/config'
import type { Message } from '@synod/paxos/internal/protocol/message'
import type { Prng } from '@synod/paxos/internal/protocol/prng'
import { Server } from '@synod/paxos/internal/server/server'
import { FileStorage } from '@synod/paxos/internal/storage/file-storage'
import type { Storage, StoredRecord } from '@synod/paxos/internal/storage/storage'
import { decodePeerFrame } from '@synod/paxos/internal/transport/codec'
import { MemoryNetwork } from '@synod/paxos/internal/transport/memory-transport'
import type { ClusterChecker } from './cluster-checker.js'
import { SimDisk } from './disk.js'
import type { FaultMix } from './faults.js'
import { Links } from './faults.js'
import type { Entry } from './ledger.js'
import { Ledger, ledger } from './ledger.js'
import type { Life, VirtualTime } from './time.js'

/** Small files and reservations make their edges be met often. */
const LOG_LIMITS = { fileBytes: 32 << 10, reserveBytes: 4 << 10 }

/** A server, while it is up. */
interface Running {
  readonly life: Life
  readonly server: Server<ReturnType<typeof ledger>['op'], number>
  readonly state: Ledger
}

export interface ClusterOptions {
  readonly servers: number
  readonly time: VirtualTime
  readonly prng: Prng
  readonly mix: FaultMix
  readonly checker: ClusterChecker
  readonly timing: Timing
  readonly limits: Limits
  /** Takes a line for each thing that happens, for the trace. */
  readonly trace: (line: string) => void
  /** Called with every message that a server sends to another one. */
  readonly sent: (from: ServerId, message: Message) => void
  /** Called when a server ends by itself, or a check fails: the simulation is over. */
  readonly failed: (error: unknown) => void
}

export class Cluster {
  readonly addresses: readonly string[]
  readonly network: MemoryNetwork
  readonly links: Links
  readonly #options: ClusterOptions
  readonly #disks: SimDisk[]
  readonly #running: (Running | undefined)[]
  readonly #service = ledger()

  constructor(options: ClusterOptions) {
    const { servers, time, prng, mix } = options
    this.#options = options
    this.addresses = Array.from({ length: servers }, (_, id) => `server:${id}`)
    this.links = new Links(prng, mix)
    this.network = new MemoryNetwork(time.life().clock, {
      connect: (from, to) => (this.links.isCut(from, to) || this.links.isCut(to, from) ? null : mix.delay),
      deliver: (from, to, frame) => this.#deliver(from, to, frame),
    })
    this.#disks = this.addresses.map(() => {
      const delay = mix.diskDelay * (prng.chance(mix.slowDisks) ? 10 : 1)
      return new SimDisk(prng, (call) => {
        time.after(prng.float() * delay, call)
      })
    })
    this.#running = this.addresses.map(() => undefined)
  }

  isUp(id: ServerId): boolean {
    return this.#running[id] !== undefined
  }

  /** What a running server has executed; undefined while it is down. */
  entries(id: ServerId): readonly Entry[] | undefined {
    return this.#running[id]?.state.entries
  }

  /** Starts a server that is down. */
  start(id: ServerId): void {
    const { time, checker, timing, limits, trace, failed } = this.#options
    if (this.isUp(id)) return
    const life = time.life()
    const state = new ObservedLedger((slot, clientId, op) => {
      checker.executed(id, slot, clientId, (bytes) => sameEntry(this.#service.op.parse(unpackValue(bytes)), op))
    })
    const server = new Server({
      service: { ...this.#service, state: () => state },
      id,
      addresses: this.addresses,
      storage: this.#observed(id, new FileStorage(this.#disk(id), life.clock, LOG_LIMITS)),
      transport: this.network.transport(this.#address(id)),
      clock: life.clock,
      timing,
      limits,
      warn: (line) => {
        trace(`server ${id}: ${line}`)
      },
    })
    checker.started(id)
    const running = { life, server, state }
    this.#running[id] = running
    trace(`start ${id}`)
    const ended = (error: unknown): void => {
      if (this.#running[id] === running) failed(error ?? new Error(`server ${id} ended by itself`))
    }
    server.start().catch(ended)
    void server.stopped.then(ended)
  }

  /** Ends a server at once; with `powerLoss` its machine too, with all that was not synced. */
  crash(id: ServerId, powerLoss: boolean): void {
    const running = this.#running[id]
    if (running === undefined) return
    this.#options.trace(`crash ${id}${powerLoss ? ' with power loss' : ''}`)
    this.#running[id] = undefined
    running.life.end()
    this.network.crash(this.#address(id), this.#options.mix.delay)
    if (powerLoss) this.#disk(id).powerLoss()
    else this.#disk(id).kill()
  }

  /** The machine of a server that is down loses its power: what its page cache held and its disk did not is gone. */
  losePower(id: ServerId): void {
    if (!this.isUp(id)) this.#disk(id).powerLoss()
  }

  #deliver(from: string, to: string, frame: Uint8Array): readonly number[] {
    const { checker, mix, failed, sent } = this.#options
    const server = this.addresses.indexOf(from)
    if (server < 0 || !this.addresses.includes(to)) return [mix.delay]
    const decoded = decodePeerFrame(frame)
    if (decoded.type !== 'messages') return this.links.isCut(from, to) ? [] : [mix.delay]
    try {
      for (const message of decoded.messages) {
        checker.sent(server, message)
        sent(server, message)
      }
    } catch (error) {
      failed(error)
    }
    return this.links.deliver(from, to)
  }

  /** The same storage; the checker hears what has become durable. */
  #observed(id: ServerId, storage: FileStorage): Storage {
    const { checker, failed } = this.#options
    const watch = (check: () => void): void => {
      try {
        check()
      } catch (error) {
        failed(error)
      }
    }
    return {
      open: async (owner) => {
        const opened = await storage.open(owner)
        const records = [...opened.records]
        watch(() => {
          checker.recovered(id, records)
        })
        return { ...opened, records }
      },
      form: (clusterId) => storage.form(clusterId),
      append: async (records: readonly StoredRecord[]) => {
        await storage.append(records)
        watch(() => {
          checker.durable(id, records)
        })
      },
      get batch() {
        return storage.batch
      },
      statistics: () => storage.statistics(),
      close: () => storage.close(),
    }
  }

  #disk(id: ServerId): SimDisk {
    const disk = this.#disks[id]
    if (disk === undefined) throw new RangeError(`no server ${id}`)
    return disk
  }

  #address(id: ServerId): string {
    return this.addresses[id] ?? ''
  }
}

/** A ledger that reports what it is told to execute. */
class ObservedLedger extends Ledger {
  readonly #executed: (slot: number, clientId: string, op: Entry) => void

  constructor(executed: (slot: number, clientId: string, op: Entry) => void) {
    super()
    this.#executed = executed
  }

  override execute(slot: number, command: { readonly clientId: string; readonly op: Entry }): number {
    this.#executed(slot, command.clientId, command.op)
    return super.execute(slot, command)
  }
}

function sameEntry(a: Entry, b: Entry): boolean {
  return a.client === b.client && a.number === b.number
}
