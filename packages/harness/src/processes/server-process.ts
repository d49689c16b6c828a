/** One server of the cluster, as a process that is started, signalled and ended, and the faults of its disk and clock. */
import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, closeSync, openSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Prng } from '@synod/paxos/internal/protocol/prng'
import type { CrashOptions, Place, ServerFaults, Standing, StartOptions } from '../world/world.js'
import type { ServerCommand } from './command.js'
import { corrupt, truncate, usedBytes } from './data-files.js'
import type { DiskFaults, ShimStart } from './fault-orders.js'
import { SHIM_VARIABLE, SOUND_DISK } from './fault-orders.js'
import type { Guard } from './guard.js'
import { ShimLine } from './shim-line.js'

/** A server that has not ended so long after SIGTERM (ms) is killed. */
const GRACE = 5_000
/** SIGSTOP takes effect within this time (ms). */
const STOPPING = 1_000

const SHIM = import.meta.resolve('./shim.js')

export interface ServerProcessOptions {
  readonly id: number
  readonly command: ServerCommand
  /** What follows the command. */
  readonly flags: readonly string[]
  readonly dataDir: string
  /** The file that takes what it writes to standard output and error. */
  readonly log: string
  readonly guard: Guard
  readonly prng: Prng
  /** Asks it for a snapshot; a sentence if there is none. */
  readonly snapshot: () => Promise<string | null>
  /** Asks it to hand leadership over to that server; a sentence if it does not. */
  readonly handOver: (to: number) => Promise<string | null>
  /** Told when a fault cannot be had, as the command is none of Node's. */
  readonly failed: (error: Error) => void
}

export class ServerProcess implements ServerFaults {
  readonly #options: ServerProcessOptions
  #child: ChildProcess | null = null
  #line: ShimLine | null = null
  #gone: Promise<void> = Promise.resolve()
  #standing: Standing = 'down'
  /** The harness wants it to end. */
  #ending = false
  #disk: DiskFaults = SOUND_DISK
  /** The run is over. */
  #closed = false

  constructor(options: ServerProcessOptions) {
    this.#options = options
  }

  get standing(): Standing {
    return this.#standing
  }

  /** All that it wrote, over all its starts. */
  get output(): string {
    try {
      return readFileSync(this.#options.log, 'utf8')
    } catch {
      return '' // it was never started
    }
  }

  async start({ repair = false }: StartOptions = {}): Promise<string | null> {
    if (this.#closed) return 'the run is over'
    if (this.#child !== null) return `${this.#name} runs already`
    const { command, flags, log } = this.#options
    this.#note(repair ? 'starts to be repaired' : 'starts')
    const output = openSync(log, 'a')
    // In a group of its own, so that a command that starts another one is ended with it, and Ctrl-C is left to the harness.
    const child = spawn(command.program, [...command.args, ...flags, ...(repair ? ['--repair'] : [])], {
      stdio: ['ignore', output, output, 'ipc'],
      detached: true,
      env: this.#environment(),
    })
    closeSync(output)
    this.#ending = false
    this.#child = child
    this.#line = new ShimLine(child)
    return new Promise((resolve) => {
      this.#gone = new Promise((gone) => {
        child.once('spawn', () => {
          this.#options.guard.watch(child.pid ?? 0)
          this.#standing = 'up'
          resolve(null)
        })
        child.once('exit', (code, signal) => {
          this.#ended(child, code === null ? `signal ${signal ?? ''}` : `exit code ${code}`)
          gone()
        })
        child.on('error', (error) => {
          if (child.pid !== undefined) return // a signal that could not be sent
          this.#child = null
          resolve(`${this.#name} cannot be started: ${error.message}`)
          gone()
        })
      })
    })
  }

  async stop(): Promise<string | null> {
    if (this.#child === null) return this.#notRunning
    this.#ending = true
    this.#signal('SIGTERM')
    this.#signal('SIGCONT') // one that is stopped does not even hear that it should end
    const timer = new AbortController()
    await Promise.race([this.#gone, sleep(GRACE, undefined, timer).catch(() => undefined)])
    timer.abort()
    if (!this.#isRunning()) return null
    await this.#kill()
    return `${this.#name} did not end within ${GRACE} ms of SIGTERM, and was killed`
  }

  async crash({ powerLoss, on }: CrashOptions): Promise<string | null> {
    if (powerLoss === true)
      return 'real processes cannot lose what the page cache holds: only the simulator can do this'
    if (on !== undefined) return 'real processes cannot be killed at such a moment: only the simulator can do this'
    if (this.#child === null) return this.#notRunning
    await this.#kill()
    return null
  }

  async pause(): Promise<string | null> {
    if (this.#standing !== 'up')
      return this.#standing === 'paused' ? `${this.#name} is paused already` : this.#notRunning
    this.#standing = 'paused'
    this.#signal('SIGSTOP')
    const deadline = performance.now() + STOPPING
    while (!this.#isStopped() && performance.now() < deadline) await sleep(1)
    return null
  }

  resume(): Promise<string | null> {
    if (this.#standing !== 'paused') return Promise.resolve(`${this.#name} is not paused`)
    this.#standing = 'up'
    this.#signal('SIGCONT')
    return Promise.resolve(null)
  }

  async wipe(): Promise<string | null> {
    if (this.#child !== null) return `${this.#name} runs: it keeps its data directory until it is stopped`
    await rm(this.#options.dataDir, { recursive: true, force: true })
    return null
  }

  snapshot(): Promise<string | null> {
    return this.#standing === 'up' ? this.#options.snapshot() : Promise.resolve(this.#notRunning)
  }

  handOver(to: number): Promise<string | null> {
    return this.#standing === 'up' ? this.#options.handOver(to) : Promise.resolve(this.#notRunning)
  }

  corrupt(place: Place): Promise<string | null> {
    return corrupt(this.#options.dataDir, place, this.#options.prng)
  }

  truncate(file: string | undefined, bytes: number): Promise<string | null> {
    return truncate(this.#options.dataDir, file, bytes)
  }

  misdirect(): Promise<string | null> {
    return Promise.resolve('real disks cannot be made to misdirect a write: only the simulator can do this')
  }

  async diskFull(room: number): Promise<string | null> {
    return this.#setDisk({ capacity: (await usedBytes(this.#options.dataDir)) + room })
  }

  fsyncError(always: boolean): Promise<string | null> {
    return this.#setDisk({ fsync: always ? 'fails' : 'fails once' })
  }

  slowDisk(ms: number): Promise<string | null> {
    return this.#setDisk({ slow: ms })
  }

  async clockJump(ms: number): Promise<string | null> {
    return this.#child === null ? this.#notRunning : this.#order(ms)
  }

  clockRate(): Promise<string | null> {
    return Promise.resolve('the clocks of real processes run as they do: only the simulator can do this')
  }

  heal(): Promise<string | null> {
    return this.#disk === SOUND_DISK ? Promise.resolve(null) : this.#setDisk(SOUND_DISK)
  }

  /** Ends it at once, whatever it does, for good. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#child !== null) await this.#kill()
  }

  /** A server that is down finds the disk like this when it starts. */
  async #setDisk(faults: Partial<DiskFaults>): Promise<string | null> {
    this.#disk = faults === SOUND_DISK ? SOUND_DISK : { ...this.#disk, ...faults }
    return this.#child === null ? null : this.#order(0)
  }

  async #order(jump: number): Promise<string | null> {
    // A process that is stopped answers when it goes on.
    if (await this.#line?.order(this.#disk, jump, this.#standing === 'up')) return null
    if (!this.#isRunning()) return this.#notRunning
    const why = `${this.#name} is not run by Node: its disk and its clock cannot be changed`
    this.#options.failed(new Error(why))
    return why
  }

  async #kill(): Promise<void> {
    this.#ending = true
    this.#signal('SIGKILL')
    await this.#gone
  }

  /** To all processes of its group. */
  #signal(signal: NodeJS.Signals): void {
    signalGroup(this.#child?.pid, signal)
  }

  #ended(child: ChildProcess, how: string): void {
    signalGroup(child.pid, 'SIGKILL') // what it may have started
    this.#options.guard.release(child.pid ?? 0)
    if (!this.#ending) this.#note(`ended by itself (${how})`)
    this.#child = null
    this.#line = null
    this.#standing = this.#ending ? 'down' : 'ended'
    if (this.#disk.fsync === 'fails once') this.#disk = { ...this.#disk, fsync: 'works' } // it met that
  }

  #note(what: string): void {
    appendFileSync(this.#options.log, `[harness] ${this.#name} ${what}\n`)
  }

  get #name(): string {
    return `server ${this.#options.id}`
  }

  get #notRunning(): string {
    return `${this.#name} does not run`
  }

  #isRunning(): boolean {
    return this.#child !== null
  }

  #isStopped(): boolean {
    try {
      // The state follows the name of the program, which is in parentheses.
      return /\) [tT] /.test(readFileSync(`/proc/${this.#child?.pid ?? ''}/stat`, 'utf8'))
    } catch {
      return true // it is gone
    }
  }

  #environment(): NodeJS.ProcessEnv {
    const start: ShimStart = { directory: this.#options.dataDir, disk: this.#disk }
    // By the environment, so that it reaches a script's Node behind a wrapper, too.
    const options = [process.env['NODE_OPTIONS'] ?? '', `--import=${SHIM}`].join(' ')
    return { ...process.env, NODE_OPTIONS: options, [SHIM_VARIABLE]: JSON.stringify(start) }
  }
}

function signalGroup(group: number | undefined, signal: NodeJS.Signals): void {
  if (group === undefined) return
  try {
    process.kill(-group, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
