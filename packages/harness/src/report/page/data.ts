/** What a report's page is given to draw: a report's times and texts, short, and safe to show as they are. */

/** The index of a text in {@link PageData.texts}; -1: there is none. */
type Text = number

/** process, what it does, key, value, outcome (an index of {@link OUTCOMES}), result, error, from, to (null: no outcome came). */
export type OperationRow = readonly [
  process: Text,
  f: Text,
  key: Text,
  value: Text,
  outcome: number,
  result: Text,
  error: Text,
  from: number,
  to: number | null,
]

/** As in a history. */
export const OUTCOMES = ['ok', 'fail', 'info'] as const
/** One of {@link OUTCOMES}. */
export type Outcome = (typeof OUTCOMES)[number]

/** How a server stood, as long as that did not change. */
export interface Span {
  readonly server: number
  readonly role: string
  readonly ballot: string
  readonly leader: number | null
  /** At its begin. */
  readonly applied: number
  readonly from: number
  readonly to: number
}

/** A fault, as long as it held. */
export interface Fault {
  readonly label: string
  readonly kind: 'server' | 'network' | 'disk' | 'clock'
  /** null: it is not one server's. */
  readonly server: number | null
  readonly from: number
  readonly to: number
}

/** The part of the run that shows why a check failed. */
export interface Offence {
  readonly check: string
  readonly detail: string
  readonly from: number
  readonly to: number
}

/** All times are ms since the run began. */
export interface PageData {
  /** When the last thing happened. */
  readonly end: number
  readonly servers: number
  readonly texts: readonly string[]
  /** Texts, in the order of their lanes. */
  readonly processes: readonly Text[]
  /** In the order of their begins. */
  readonly operations: readonly OperationRow[]
  readonly spans: readonly Span[]
  readonly faults: readonly Fault[]
  readonly offences: readonly Offence[]
}
