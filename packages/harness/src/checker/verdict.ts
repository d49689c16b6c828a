/** What the linearizability checker found. */

/** The part of a history that shows why it is not linearizable. */
export interface Offence {
  /** The key whose operations cannot be put in an order; null if it is the whole map's. */
  readonly key: string | null
  /** So many events of the history, from the first on, are the smallest prefix that is not linearizable. */
  readonly prefix: number
  /** False if there may be a smaller prefix, which was not found in time. */
  readonly isSmallest: boolean
  /** One sentence: which operation fits nowhere, and what was there instead. */
  readonly why: string
  /** From the moment that the operations which do not fit began until the prefix ends (ms, as the events' times). */
  readonly from: number
  readonly to: number
}

export type Verdict =
  | { readonly result: 'linearizable'; readonly operations: number }
  | { readonly result: 'not linearizable'; readonly operations: number; readonly offence: Offence }
  /** Some keys could not be decided within the time, and none of the others is in offence. */
  | { readonly result: 'unknown'; readonly operations: number; readonly undecided: readonly (string | null)[] }
