/** Keeps the history: every operation's begin, and its outcome when that comes. */
import { ClientError, Refusal } from '@synod/paxos'
import type { HistoryEvent } from '../history/history.js'
import type { Task } from '../subject/subject.js'
import type { WorldClient } from '../world/world.js'

/** What became of an operation. */
export interface Outcome {
  readonly type: 'ok' | 'fail' | 'info'
  readonly value?: unknown
  /** The code that it failed with. */
  readonly error?: string
}

/** The process that asks whether the cluster answers after healing: no client, so a run that means nothing is not saved by it. */
export const JUDGE = 'judge'
/** The process that reads the final state. */
const FINAL = 'final state'

export class Recorder {
  readonly events: HistoryEvent[] = []
  /** By event: the client that asked; null for the final state's. */
  readonly owners: (WorldClient | null)[] = []
  /** Of the clients' operations; `ok` were answered, a clean no included. */
  readonly counts = { attempted: 0, ok: 0, fail: 0, info: 0 }
  readonly #now: () => number
  readonly #told: (event: HistoryEvent) => void
  /** By client: which of its processes have an operation under way. A client with several at once is several processes. */
  readonly #busy = new Map<string, boolean[]>()
  #pending = 0
  #ended = false

  /** @param told takes the events of clients */
  constructor(now: () => number, told: (event: HistoryEvent) => void) {
    this.#now = now
    this.#told = told
  }

  /** Operations without an outcome. */
  get pending(): number {
    return this.#pending
  }

  /**
   * Has the task done for a client within `timeout` ms, and notes how it went. Rejects only for what is a bug in the harness
   * or the service.
   */
  async perform(client: string, task: Task, connection: WorldClient, timeout: number): Promise<Outcome> {
    const { process, free } = this.#process(client)
    const said = { process, f: task.f, ...(task.key !== undefined && { key: task.key }) }
    const deadline = this.#now() + timeout
    const left = (): number => Math.max(1, deadline - this.#now())
    const run = (): Promise<Outcome> =>
      task.run(
        (op) => connection.submit(op, left()),
        (op) => connection.readStale(op, left()),
      )
    const counts = client === JUDGE ? null : this.counts
    if (counts !== null) counts.attempted++
    this.#pending++
    const note = (event: Pick<HistoryEvent, 'type' | 'value' | 'error'>): void =>
      this.#note({ ...said, ...event, time: this.#time() }, connection)
    note({ type: 'invoke', ...(task.value !== undefined && { value: task.value }) })
    try {
      const outcome = await outcomeOf(task, run)
      if (counts !== null && !this.#ended) counts[isAnswer(outcome) ? 'ok' : outcome.type]++
      note(outcome)
      return outcome
    } finally {
      this.#pending--
      free()
    }
  }

  /** Adds what was read at the end, by the judge and not by a client. */
  addRead(read: Pick<HistoryEvent, 'f' | 'key' | 'value'>): void {
    const { value, ...asked } = read
    const time = this.#time()
    this.#note({ process: FINAL, type: 'invoke', ...asked, time }, null)
    this.#note({ process: FINAL, type: 'ok', ...asked, value, time }, null)
  }

  /** What comes later is not noted any more: the run is judged by what there is. */
  end(): void {
    this.#ended = true
  }

  #note(event: HistoryEvent, owner: WorldClient | null): void {
    if (this.#ended) return
    this.events.push(event)
    this.owners.push(owner)
    if (event.process !== JUDGE && event.process !== FINAL) this.#told(event)
  }

  #time(): number {
    return Math.round(this.#now() * 1000) / 1000
  }

  #process(client: string): { process: string; free: () => void } {
    let busy = this.#busy.get(client)
    if (busy === undefined) this.#busy.set(client, (busy = []))
    const place = busy.includes(false) ? busy.indexOf(false) : busy.length
    busy[place] = true
    const free = (): void => {
      busy[place] = false
    }
    return { process: place === 0 ? client : `${client}.${place}`, free }
  }
}

/** A cas that found another value, or a service's own refusal, is an answer, too. */
export function isAnswer({ type, value, error }: Pick<HistoryEvent, 'type' | 'value' | 'error'>): boolean {
  return type === 'ok' || (type === 'fail' && (error === undefined || value !== undefined))
}

async function outcomeOf(task: Task, run: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof Refusal) return { type: 'fail', value: { refused: error.code }, error: error.code }
    if (!(error instanceof ClientError)) throw error
    const surely = task.reads || !error.mayHaveHappened
    return { type: surely ? 'fail' : 'info', error: error.code }
  }
}
