/** One machine of a simulated cluster: its disk, its clock, and the server process that runs on it, or does not. */
import type { ServerStatus, State, SynodError } from '@synod/paxos'
import type { Cancel } from '@synod/paxos/internal/clock'
import { packValue, unpackValue } from '@synod/paxos/internal/codec/values'
import type { Limits, Timing } from '@synod/paxos/internal/protocol/config'
import type { Message } from '@synod/paxos/internal/protocol/message'
import type { Prng } from '@synod/paxos/internal/protocol/prng'
import { asSynodError } from '@synod/paxos/internal/server/failure'
import { Server } from '@synod/paxos/internal/server/server'
import type { SnapshotPolicy } from '@synod/paxos/internal/server/snapshotter'
import { FileStorage } from '@synod/paxos/internal/storage/file-storage'
import type { LogLimits } from '@synod/paxos/internal/storage/log-writer'
import type { MemoryNetwork } from '@synod/paxos/internal/transport/memory-transport'
import type { AnyService } from '../subject/subject.js'
import type { CrashOptions, Standing, StartOptions } from '../world/world.js'
import type { Checker } from './checker.js'
import { SimDisk } from './disk.js'
import { DiskWatch } from './disk-watch.js'
import type { GoodSnapshots } from './disk-watch.js'
import { GatedTransport } from './gated-transport.js'
import { ProcessLife } from './life.js'
import { observedService } from './observed-state.js'
import { ObservedStorage } from './observed-storage.js'
import { States } from './states.js'
import type { VirtualTime } from './time.js'

/** What all machines of a world share. */
export interface Site {
  readonly service: AnyService
  /** By server id. */
  readonly addresses: readonly string[]
  readonly time: VirtualTime
  readonly network: MemoryNetwork
  readonly checker: Checker
  readonly goodSnapshots: GoodSnapshots
  readonly timing: Timing
  readonly limits: Limits
  readonly snapshots: SnapshotPolicy
  readonly log: Partial<LogLimits>
  /** How long a disk operation takes (ms): up to. */
  readonly diskDelay: number
  /** Takes a line for each thing that happens. */
  readonly trace: (line: string) => void
  /** Something that must never happen did. */
  readonly broken: (error: unknown) => void
}

/** A server process. */
interface Process {
  readonly life: ProcessLife
  readonly server: Server<AnyService['op'], unknown>
  readonly state: () => State<unknown, unknown, unknown> | null
  /** It has its directory and its port. */
  listening: boolean
  stopping: boolean
  readonly gone: Promise<void>
  readonly leave: () => void
}

/** How long a process may take to end after SIGTERM, before it is killed (ms). */
const GRACE = 5_000
/** The system closes a killed process's connections, and the others hear of it, after so many ms. */
const HANG_UP = 0.5
/** When a machine has lost its power, nobody hangs up: the others find out after one of these times (ms). */
const SILENCES = [HANG_UP, 100, 1_000]
/** A server in an ambush crashes within one of these times (ms), while its own write may be under way. */
const AMBUSHES = [0.2, 1, 5, 20]
/** Reasons to end that are bugs, whatever was done to the server. */
const BUGS: readonly string[] = ['INVARIANT', 'BUG', 'STATE_FAILED', 'STATE_UNSAVABLE', 'DIVERGED']

export class Machine {
  readonly id: number
  readonly disk: SimDisk
  /** How often a process was killed here. */
  crashes = 0
  /** Each disk operation takes so many ms more. */
  slow = 0
  readonly #site: Site
  readonly #prng: Prng
  readonly #address: string
  readonly #watch: DiskWatch
  #process: Process | undefined
  #standing: 'down' | 'ended' = 'down'
  #output = ''
  #rate = 1
  #ambush: { readonly on: Message['type']; readonly powerLoss: boolean } | undefined
  /** It is to crash at an operation of its disk, whichever process that is of. */
  #appointment: { readonly operation: number; readonly powerLoss: boolean } | undefined
  /** Calls off a crash that is about to strike. */
  #cancelCrash: Cancel = () => undefined
  /** Why it must never start again; null if it may. */
  #condemned: string | null = null

  constructor(id: number, site: Site, prng: Prng) {
    this.id = id
    this.#site = site
    this.#prng = prng
    this.#address = site.addresses[id] ?? ''
    this.disk = new SimDisk(prng, {
      delay: (call) => {
        site.time.after(prng.float() * site.diskDelay + this.slow, call)
      },
      complete: (call) => this.#process?.life.enter(call),
    })
    this.#watch = new DiskWatch(id, this.disk, site.checker, site.goodSnapshots, {
      broken: site.broken,
      condemned: (lost) => this.#condemn(lost),
    })
  }

  get standing(): Standing {
    if (this.#process === undefined) return this.#standing
    return this.#process.life.paused ? 'paused' : 'up'
  }

  get output(): string {
    return this.#output
  }

  /** Whether its server remembers all that it must, or will when it starts. */
  get intact(): boolean {
    return this.#condemned === null && this.#watch.intact
  }

  /** Of a server that listens and is not paused; else null. */
  status(): ServerStatus | null {
    return this.#answering?.server.status() ?? null
  }

  /** Likewise. */
  dump(): { readonly slot: number; readonly entries: readonly unknown[] } | null {
    const process = this.#answering
    const state = process?.state()
    if (process === undefined || state === undefined || state === null) return null
    const entries = unpackValue(packValue([...state.snapshot()])) as unknown[]
    return { slot: process.server.status().applied, entries }
  }

  start({ repair = false }: StartOptions = {}): string | null {
    if (this.#process !== undefined) return `server ${this.id} is ${this.standing} already`
    if (this.#condemned !== null) return `server ${this.id} ${this.#condemned}`
    this.#site.trace(`start ${this.id}${repair ? ' to be repaired' : ''}`)
    this.#site.checker.started(this.id)
    const process = this.#make(repair)
    this.#process = process
    this.#keepAppointment(process)
    process.server.start().then(
      () => {
        process.listening = true
      },
      (error: unknown) => this.#ended(process, asSynodError(error)),
    )
    void process.server.stopped.then((reason) => this.#ended(process, reason))
    return null
  }

  /** Ends the process as by SIGTERM; one that is paused goes on for it. */
  async stop(): Promise<string | null> {
    const process = this.#process
    if (process === undefined) return this.#notRunning()
    this.#site.trace(`stop ${this.id}`)
    process.stopping = true
    process.life.resume()
    process.life.enter(() => void process.server.close())
    const cancel = this.#site.time.after(GRACE, () => this.#kill(process, false))
    await process.gone
    cancel()
    return null
  }

  /** Kills the process, now or at a worse moment. A machine without one can still lose its power. */
  crash({ powerLoss = false, on }: CrashOptions): string | null {
    const process = this.#process
    if (process === undefined) {
      if (!powerLoss) return this.#notRunning()
      this.#site.trace(`power loss ${this.id}`)
      this.disk.powerLoss()
    } else if (on === undefined) this.#kill(process, powerLoss)
    else if (on === 'io') this.disk.ambush(() => this.#kill(process, powerLoss))
    else this.#ambush = { on, powerLoss }
    return null
  }

  /** Kills whichever process begins this operation of its disk, counted from 0; to be said while there is none. */
  crashAt(operation: number, powerLoss: boolean): void {
    this.#appointment = { operation, powerLoss }
  }

  pause(): string | null {
    if (this.standing !== 'up') return this.#process === undefined ? this.#notRunning() : `server ${this.id} is paused`
    this.#site.trace(`pause ${this.id}`)
    this.#process?.life.pause()
    return null
  }

  resume(): string | null {
    if (this.standing !== 'paused') return `server ${this.id} is not paused`
    this.#site.trace(`resume ${this.id}`)
    this.#process?.life.resume()
    return null
  }

  wipe(): string | null {
    if (this.#process !== undefined) return `server ${this.id} runs: only a server that is down can lose its directory`
    this.#site.trace(`wipe ${this.id}`)
    this.disk.wipe()
    this.#condemned = null
    return null
  }

  jump(ms: number): string | null {
    if (this.#process === undefined) return this.#notRunning()
    this.#process.life.jump(ms)
    return null
  }

  setRate(rate: number): void {
    this.#rate = rate
    this.#process?.life.setRate(rate)
  }

  /** Calls off what was to happen at a bad moment. */
  disarm(): void {
    this.#ambush = undefined
    this.#cancelCrash()
    this.disk.disarm()
  }

  /** The server sends a message to another one. */
  sent({ type }: Message): void {
    const process = this.#process
    if (process === undefined || this.#ambush?.on !== type) return
    const { powerLoss } = this.#ambush
    this.#ambush = undefined
    const delay = this.#prng.float() * this.#prng.pick(AMBUSHES)
    this.#cancelCrash = this.#site.time.after(delay, () => this.#kill(process, powerLoss))
  }

  /** The simulation is over. */
  close(): void {
    this.#process?.life.end()
  }

  get #answering(): Process | undefined {
    const process = this.#process
    return process?.listening === true && !process.life.paused ? process : undefined
  }

  #notRunning(): string {
    return `server ${this.id} is ${this.#standing === 'ended' ? 'ended' : 'down'}`
  }

  #make(repair: boolean): Process {
    const { service, addresses, time, network, checker, timing, limits, snapshots, log } = this.#site
    const life = new ProcessLife(time, this.#prng, this.#rate)
    const states = new States(this.id, checker, this.#site.broken)
    const storage = new FileStorage(this.disk, life.clock, log)
    const server = new Server({
      service: observedService(service, states),
      id: this.id,
      addresses,
      storage: new ObservedStorage(storage, states.reading(this.#watch)),
      transport: new GatedTransport(network.transport(this.#address), life),
      clock: life.clock,
      timing,
      limits,
      snapshots,
      repair,
      warn: (line) => this.#say(line),
    })
    let leave: () => void = () => undefined
    const gone = new Promise<void>((resolve) => (leave = resolve))
    return { life, server, state: () => states.whole, listening: false, stopping: false, gone, leave }
  }

  /** Damage that looks like a torn write took something that was durable: no server could know, but the simulation does. */
  #condemn(what: string): void {
    this.#condemned = `must stay down: damage that looks like a torn write took ${what}`
    this.#say(`[${this.id}] ${this.#condemned}`)
    if (this.#process !== undefined) this.#leave(this.#process, HANG_UP)
    this.#standing = 'ended'
  }

  /** The process ended by itself, or after SIGTERM. */
  #ended(process: Process, reason: SynodError | null): void {
    if (this.#process !== process) return
    this.#leave(process, HANG_UP)
    const asked = process.stopping && (reason === null || reason.code === 'NOT_SERVING')
    if (asked) return
    this.#standing = 'ended'
    this.#say(`${this.#site.service.name}-server: ${reason?.message ?? 'ended for no reason'}`)
    if (reason === null || BUGS.includes(reason.code)) {
      this.#site.broken(reason ?? new Error(`server ${this.id} ended for no reason`))
    }
  }

  #kill(process: Process, powerLoss: boolean): void {
    if (this.#process !== process) return
    this.crashes++
    this.#site.trace(`crash ${this.id}${powerLoss ? ' with power loss' : ''}`)
    this.#leave(process, powerLoss ? this.#prng.pick(SILENCES) : HANG_UP)
    if (powerLoss) this.disk.powerLoss()
  }

  #keepAppointment(process: Process): void {
    if (this.#appointment === undefined) return
    const { operation, powerLoss } = this.#appointment
    const strike = (): void => {
      this.#appointment = undefined
      this.#kill(process, powerLoss)
    }
    if (operation >= this.disk.operations) this.disk.ambush(strike, operation - this.disk.operations)
  }

  #leave(process: Process, silence: number): void {
    this.#process = undefined
    this.#standing = 'down'
    this.#ambush = undefined
    process.life.end()
    this.#site.network.crash(this.#address, silence)
    this.disk.kill()
    process.leave()
  }

  #say(line: string): void {
    this.#output += `${line}\n`
    this.#site.trace(line)
  }
}
