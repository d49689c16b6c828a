/** What all parts of one run share. */
import { Prng } from '@synod/paxos/internal/protocol/prng'
import type { HistoryEvent } from '../history/history.js'
import type { Check } from '../report/report.js'
import type { Scenario, Step, Who } from '../scenario/schema.js'
import type { Subject } from '../subject/subject.js'
import type { World, WorldClient } from '../world/world.js'
import { Bands } from './bands.js'
import { Clients } from './clients.js'
import { Recorder } from './recorder.js'
import { Subscribers } from './subscribers.js'
import { leaderOf, running, Sampler, serversOf } from './survey.js'

/** Who watches a run while it goes on. */
export interface Observer {
  /** A step begins; `number` counts from 1. */
  step?(number: number, step: Step): void
  /** A step, a workload or a nemesis did something, or could not. */
  note?(line: string): void
  event?(event: HistoryEvent): void
}

/** Numbers that tell a run's own chance from the world's, which may have the same seed. */
const SALT = 0x5ca1ab1e

export class Run {
  readonly recorder: Recorder
  readonly bands: Bands
  readonly clients: Clients
  readonly sampler: Sampler
  readonly prng: Prng
  readonly checks: Check[] = []
  /** Clients that were closed, or died. */
  readonly gone = new Set<object>()
  readonly subscribers: Subscribers
  /** Servers that a fault may make end by themselves. */
  readonly excused = new Set<number>()
  /** Servers that the scenario expects to end by themselves, for whatever reason. */
  readonly doomed = new Set<number>()
  /** Steps, workloads and nemeses are to begin nothing more. */
  stopped = false
  /** Workloads and nemeses under way. */
  readonly background = { workload: new Set<Promise<void>>(), nemesis: new Set<Promise<void>>() }
  /** Rejects with the first bug that anything in the background met. */
  readonly bug: Promise<never>
  #questioner: WorldClient | null = null
  #fail: (error: unknown) => void = () => undefined

  constructor(
    readonly scenario: Scenario,
    readonly world: World,
    readonly subject: Subject,
    readonly observer: Observer,
  ) {
    const now = (): number => world.now()
    this.bug = new Promise((_, reject) => (this.#fail = reject))
    this.bug.catch(() => undefined) // whoever races it hears of it
    this.recorder = new Recorder(now, (event) => observer.event?.(event))
    this.bands = new Bands(now)
    this.clients = new Clients(world, this.recorder, this.gone, this.failed)
    this.subscribers = new Subscribers(world, this.failed)
    this.sampler = new Sampler(world)
    this.prng = new Prng(scenario.seed ^ SALT)
  }

  readonly failed = (error: unknown): void => {
    this.#fail(error)
  }

  /** Lets something go on while the steps do. */
  start(kind: keyof Run['background'], work: Promise<void>): void {
    const all = this.background[kind]
    const guarded = work.catch(this.failed).finally(() => all.delete(guarded))
    all.add(guarded)
  }

  /** A client of the run's own, which knows all servers. */
  questioner(): WorldClient {
    this.#questioner ??= this.world.client(serversOf(this.world))
    return this.#questioner
  }

  /** Ends all clients that are left. */
  async close(): Promise<void> {
    await Promise.all([this.clients.close(), this.subscribers.close(), this.#questioner?.close()])
  }

  note(line: string): void {
    this.observer.note?.(line)
  }

  check(name: string, ok: boolean | null, detail: string, window?: Check['window']): void {
    this.checks.push({ name, ok, detail, ...(window !== undefined && { window }) })
  }

  /** The server that is meant; a sentence if there is none such now. */
  async who(who: Who): Promise<number | string> {
    if (typeof who === 'number') return who
    const up = running(this.world)
    if (who === 'any') return up.length === 0 ? 'no server is up' : this.prng.pick(up)
    const leader = await leaderOf(this.world)
    if (who === 'leader') return leader ?? 'no server leads'
    const followers = up.filter((id) => id !== leader)
    return followers.length === 0 ? 'no other server is up' : this.prng.pick(followers)
  }
}
