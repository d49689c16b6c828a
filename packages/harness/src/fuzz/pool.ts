/** Runs scenarios in several processes at once. One that dies or hangs takes its scenario with it, and nothing else. */
import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import type { Scenario } from '../scenario/schema.js'
import type { Outcome } from './outcome.js'

/** What a worker is sent; it answers with an {@link Outcome}. */
export interface Job {
  readonly scenario: Scenario
  /** `kvstore` or `chatroom`. */
  readonly server: string
}

export interface PoolOptions {
  /** Processes; by default as many as there are processors. */
  readonly jobs?: number
  /** How long one scenario may take (ms of real time, 120,000). */
  readonly limit?: number
  /** The module that a process runs. */
  readonly worker?: URL
}

interface Waiting {
  readonly job: Job
  readonly resolve: (outcome: Outcome) => void
}

/** What is kept of what a worker writes (characters): enough for why it died. */
const LAST_WORDS = 2_000

export class Pool {
  /** How many scenarios run at once. */
  readonly jobs: number
  readonly #limit: number
  readonly #worker: URL
  readonly #queue: Waiting[] = []
  readonly #idle: ChildProcess[] = []
  readonly #processes = new Set<ChildProcess>()
  #running = 0

  constructor({ jobs, limit = 120_000, worker }: PoolOptions = {}) {
    this.jobs = jobs ?? availableParallelism()
    this.#limit = limit
    this.#worker = worker ?? new URL('./worker.js', import.meta.url)
  }

  /** How it went. Never rejects: a process that died or hung is a failure of its scenario. */
  run(scenario: Scenario, server: string): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#queue.push({ job: { scenario, server }, resolve })
      this.#next()
    })
  }

  /** Ends all processes; what is under way has no outcome. */
  close(): void {
    this.#queue.length = 0
    for (const child of this.#processes) child.kill('SIGKILL')
  }

  #next(): void {
    if (this.#running >= this.jobs) return
    const next = this.#queue.shift()
    if (next === undefined) return
    this.#running++
    void this.#runIn(this.#idle.pop() ?? this.#fork(), next.job).then((outcome) => {
      this.#running--
      next.resolve(outcome)
      this.#next()
    })
  }

  /** Node's own options are passed on, so that what hooks into this process hooks into those. */
  #fork(): ChildProcess {
    const child = fork(this.#worker, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    this.#processes.add(child)
    child.once('exit', () => this.#processes.delete(child))
    child.setMaxListeners(0)
    return child
  }

  #runIn(child: ChildProcess, job: Job): Promise<Outcome> {
    return new Promise((resolve) => {
      let said = ''
      const listen = (text: Buffer): void => {
        said = (said + text.toString()).slice(-LAST_WORDS)
      }
      const end = (outcome: Outcome): void => {
        clearTimeout(timer)
        child.stderr?.off('data', listen)
        child.off('message', answered).off('exit', died)
        resolve(outcome)
      }
      const answered = (message: unknown): void => {
        this.#idle.push(child)
        end(message as Outcome)
      }
      const died = (code: number | null, signal: NodeJS.Signals | null): void => {
        end(failed('process', `the process that ran it ended with ${signal ?? `code ${code}`}: ${said.trim()}`))
      }
      const timer = setTimeout(() => {
        child.kill('SIGKILL')
        end(failed('hang', `it was not over after ${this.#limit} ms of real time`))
      }, this.#limit)
      child.stderr?.on('data', listen)
      child.once('message', answered).once('exit', died)
      child.send(job, (error) => {
        if (error !== null) listen(Buffer.from(error.message)) // its end is about to be told
      })
    })
  }
}

function failed(check: string, detail: string): Outcome {
  return { failure: { check, detail }, elapsed: 0, operations: 0, crashes: 0, events: 0 }
}
