/** What a run leaves behind: all that a person, a page or another program needs to know of it. */
import type { HistoryEvent } from '../history/history.js'
import type { Scenario, Step } from '../scenario/schema.js'

/** How one step went. */
export interface StepRecord {
  /** From 1. */
  readonly number: number
  readonly step: Step
  /** ms since the run began. */
  readonly from: number
  readonly to: number
  /** Why it was not done; null if it was. */
  readonly notDone: string | null
}

/** A fault, from its begin to its end (ms). */
export interface Band {
  /** For people: `server 2 is down`, `0 | 1 2`, `drops 10 % of 0 → 1`. */
  readonly label: string
  readonly kind: 'server' | 'network' | 'disk' | 'clock'
  /** The server that it struck; null if it is not one server's. */
  readonly server: number | null
  readonly from: number
  readonly to: number
}

/** How a server stood at a moment, by its own word. */
export interface Sample {
  readonly time: number
  readonly server: number
  readonly role: string
  readonly ballot: string
  readonly leader: number | null
  readonly applied: number
}

/** What a subscriber has heard. */
export interface FeedRecord {
  readonly name: string
  /** The servers that it knew. */
  readonly servers: readonly number[]
  /** The first slot whose events it got; null: no server has begun to send. */
  readonly from: number | null
  readonly events: number
  /** The slot of the last of them; null if there was none. */
  readonly last: number | null
  /** The code that it ended with; null if it went on to the end, or was given up. */
  readonly ended: string | null
}

export interface Check {
  /** `linearizable`, `convergence`, `expect` … */
  readonly name: string
  /** null: it could not be made, and `detail` tells why. */
  readonly ok: boolean | null
  readonly detail: string
  /** The part of the run that shows it (ms). */
  readonly window?: { readonly from: number; readonly to: number }
}

export interface Report {
  readonly scenario: Scenario
  readonly server: string
  readonly world: 'processes' | 'simulator'
  readonly ok: boolean
  /** What to type into a shell to play it again, where that is known. */
  readonly command?: string
  /** ms of the world's own time, and of real time. */
  readonly elapsed: number
  readonly realTime: number
  readonly operations: {
    readonly attempted: number
    readonly ok: number
    readonly fail: number
    readonly info: number
  }
  readonly checks: readonly Check[]
  readonly steps: readonly StepRecord[]
  readonly bands: readonly Band[]
  readonly samples: readonly Sample[]
  readonly feeds: readonly FeedRecord[]
  readonly history: readonly HistoryEvent[]
}
