/** What is left of a run once its report is judged: small enough to be sent between processes by the thousand. */

export interface Failure {
  /** Which check it was, or which invariant: the same for two failures that are likely to have one cause. */
  readonly check: string
  readonly detail: string
}

export interface Outcome {
  /** The first check that failed; null if all held. */
  readonly failure: Failure | null
  /** ms of virtual time. */
  readonly elapsed: number
  /** Operations that succeeded. */
  readonly operations: number
  readonly crashes: number
  readonly events: number
}
