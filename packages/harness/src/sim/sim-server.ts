/** What can be done to one server of a simulation. */
import type { Prng } from '@synod/paxos/internal/protocol/prng'
import { fileNumber } from '@synod/paxos/internal/storage/file-header'
import type { CrashOptions, Place, ServerFaults, StartOptions } from '../world/world.js'
import type { Machine } from './machine.js'
import type { FileFacts } from './sim-directory.js'

/** What a server's faults need of its world. */
export interface SimServerHost {
  readonly trace: (line: string) => void
  /** Why the disk of this server must not be damaged (any more) now; null if it may. */
  readonly spares: () => string | null
  /** Asks the server for a snapshot; a sentence if there is none. */
  readonly snapshot: () => Promise<string | null>
  /** Asks the server to hand leadership over; a sentence if it does not. */
  readonly handOver: (to: number) => Promise<string | null>
}

export class SimServer implements ServerFaults {
  /** How many faults there were, crashes included. */
  faults = 0
  readonly #machine: Machine
  readonly #prng: Prng
  readonly #host: SimServerHost

  constructor(machine: Machine, prng: Prng, host: SimServerHost) {
    this.#machine = machine
    this.#prng = prng
    this.#host = host
  }

  async start(options?: StartOptions): Promise<string | null> {
    return this.#machine.start(options)
  }

  async snapshot(): Promise<string | null> {
    const { standing, id } = this.#machine
    return standing === 'up' ? this.#host.snapshot() : `server ${id} is ${standing}`
  }

  async handOver(to: number): Promise<string | null> {
    const { standing, id } = this.#machine
    return standing === 'up' ? this.#host.handOver(to) : `server ${id} is ${standing}`
  }

  stop(): Promise<string | null> {
    return this.#machine.stop()
  }

  async crash(options: CrashOptions): Promise<string | null> {
    return this.#done(this.#machine.crash(options), `crash ${JSON.stringify(options)}`)
  }

  async pause(): Promise<string | null> {
    return this.#done(this.#machine.pause(), 'pause')
  }

  async resume(): Promise<string | null> {
    return this.#machine.resume()
  }

  async wipe(): Promise<string | null> {
    const spared = this.#host.spares()
    return this.#done(spared ?? this.#machine.wipe(), 'wipe')
  }

  async corrupt({ file, offset, tail }: Place): Promise<string | null> {
    const anywhere = file === undefined && offset === undefined && tail === undefined
    const found = anywhere ? this.#any() : this.#find(file)
    if (typeof found === 'string') return found
    const { name, written, size } = found
    const at = offset ?? (tail === undefined ? this.#prng.below(written) : written - tail)
    if (at < 0 || at >= size) return `${name} has no byte ${at}: ${written} are written, of ${size}`
    const spared = this.#host.spares()
    if (spared !== null) return spared
    this.#machine.disk.rot(name, at)
    return this.#done(null, `flip a bit of byte ${at} of ${name}, of which ${written} are written`)
  }

  async truncate(file: string | undefined, bytes: number): Promise<string | null> {
    const found = this.#find(file)
    if (typeof found === 'string') return found
    const { name, written } = found
    if (bytes > written) return `${name} has only ${written} bytes written`
    const spared = this.#host.spares()
    if (spared !== null) return spared
    this.#machine.disk.truncate(name, bytes)
    return this.#done(null, `cut ${name} off at byte ${written - bytes}`)
  }

  async misdirect(): Promise<string | null> {
    const spared = this.#host.spares()
    if (spared !== null) return spared
    this.#machine.disk.misdirect()
    return this.#done(null, 'misdirect the next write')
  }

  async diskFull(room: number): Promise<string | null> {
    const { disk } = this.#machine
    disk.capacity = disk.used + room
    return this.#done(null, `disk full but for ${room} bytes`)
  }

  async fsyncError(always: boolean): Promise<string | null> {
    // The write itself may fail, and be there in part; or the sync after it.
    const what = this.#prng.pick(['sync', 'write'] as const)
    this.#machine.disk.fail(what, always ? 'always' : 'once')
    return this.#done(null, always ? `each ${what} fails` : `the next ${what} fails`)
  }

  async slowDisk(ms: number): Promise<string | null> {
    this.#machine.slow = ms
    return this.#done(null, `disk slower by ${ms} ms`)
  }

  async clockJump(ms: number): Promise<string | null> {
    return this.#done(this.#machine.jump(ms), `clock jumps by ${ms} ms`)
  }

  async clockRate(rate: number): Promise<string | null> {
    this.#machine.setRate(rate)
    return this.#done(null, `clock runs ${rate} times as fast`)
  }

  async heal(): Promise<null> {
    const { disk } = this.#machine
    disk.capacity = Infinity
    disk.heal()
    this.#machine.disarm()
    this.#machine.slow = 0
    this.#machine.setRate(1)
    this.#host.trace(`heal ${this.#machine.id}`)
    return null
  }

  #done(problem: string | null, what: string): string | null {
    if (problem !== null) return problem
    this.faults++
    this.#host.trace(`fault of server ${this.#machine.id}: ${what}`)
    return null
  }

  /**
   * A file by its name, the first or last one of the log (the last, if none is named), or the newest snapshot; a sentence if it
   * is not there.
   */
  #find(name = 'last'): FileFacts | string {
    const files = this.#machine.disk.files()
    const log = files.filter((file) => fileNumber(file.name) !== null)
    const found =
      name === 'first'
        ? log[0]
        : name === 'last'
          ? log.at(-1)
          : name === 'snapshot'
            ? newest(files)
            : files.find((file) => file.name === name)
    const { id } = this.#machine
    if (found === undefined)
      return name === 'snapshot' || log.length > 0 ? `server ${id} has no file ${name}` : `server ${id} has no log`
    return found.written === 0 ? `${found.name} of server ${id} has nothing in it` : found
  }

  /** A file of the log, drawn by how much is written in it. */
  #any(): FileFacts | string {
    const log = this.#machine.disk.files().filter((file) => fileNumber(file.name) !== null && file.written > 0)
    let at = this.#prng.below(log.reduce((sum, { written }) => sum + written, 0))
    return log.find(({ written }) => (at -= written) < 0) ?? `server ${this.#machine.id} has no log`
  }
}

/** The snapshot through the highest slot. */
function newest(files: readonly FileFacts[]): FileFacts | undefined {
  const slotOf = ({ name }: FileFacts): number => Number(/^snapshot-(\d+)\.paxos$/.exec(name)?.[1] ?? 0)
  return files.filter((file) => slotOf(file) > 0).sort((a, b) => slotOf(b) - slotOf(a))[0]
}
