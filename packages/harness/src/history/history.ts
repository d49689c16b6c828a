/** What clients asked for, and what they were told: the record that a run is judged by. */

/**
 * What an operation does. `submit` is any other service's. `edit` and `erase` change a message of a room; `join`, `leave` and
 * `who` are about those who are there. `stale` reads a key as one server has it, be it old.
 */
export type Kind =
  | 'read'
  | 'write'
  | 'cas'
  | 'delete'
  | 'append'
  | 'list'
  | 'count'
  | 'submit'
  | 'edit'
  | 'erase'
  | 'join'
  | 'leave'
  | 'who'
  | 'stale'

/**
 * One event: an operation was begun (`invoke`), took effect (`ok`), surely did not (`fail`; of a cas without an
 * `error`: there was another value), or may have (`info`: it may still take effect at any later time).
 */
export interface HistoryEvent {
  /** Who asked. A process has at most one operation under way; after an `info` it may begin another. */
  readonly process: string | number
  readonly type: 'invoke' | 'ok' | 'fail' | 'info'
  readonly f: Kind
  /** Of `list` and `count` the prefix; of all that a chat has the room. */
  readonly key?: string | null
  /**
   * - `write`, `append`: what is written. `cas`: [old, new]; null is an absent key.
   * - `ok` of `read`: what was there, null for an absent key; of a chat's read: all messages, in order, and null in the
   *   place of each that was erased.
   * - `append`: the message; `ok` may have `{"number"}`, its place in the room, from 1. `edit`: [number, message]. `erase`: the
   *   number. `fail` of both with `{"refused": "NO_MESSAGE"}` or `{"refused": "DELETED"}`: there was none such then.
   * - `ok` of `stale`: `{"slot", "value"}`, what was there after that slot.
   * - `ok` of `list`: the pairs, in the order of their keys; of `count`: how many.
   * - `submit`: the operation; `ok`: the result; `fail` with `{"refused": code}`: the service refused it with this
   *   code, which is a result too; `fail` without a value: it was not executed.
   */
  readonly value?: unknown
  /** ms. Events count in the order of their times, and those of the same time in the order of their lines. */
  readonly time: number
  /** Why it failed: a stable code. */
  readonly error?: string
}
