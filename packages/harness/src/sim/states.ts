/** The states that one process has one after the other: tells the checker what becomes of them. */
import type { Command, State } from '@synod/paxos'
import type { Slot } from '@synod/paxos/internal/protocol/command'
import type { Checker } from './checker.js'
import type { StateObserver } from './observed-state.js'
import type { StorageObserver } from './observed-storage.js'

export class States implements StateObserver {
  readonly #server: number
  readonly #checker: Checker
  readonly #broken: (error: unknown) => void
  #state: State<unknown, unknown, unknown> | null = null
  /** How many there were: all but the first are filled from a snapshot before they are of any use. */
  #count = 0
  #filled = true

  constructor(server: number, checker: Checker, broken: (error: unknown) => void) {
    this.#server = server
    this.#checker = checker
    this.#broken = broken
  }

  /** The one that executes now; null while there is only a part of it. */
  get whole(): State<unknown, unknown, unknown> | null {
    return this.#filled ? this.#state : null
  }

  made(state: State<unknown, unknown, unknown>): void {
    this.#state = state
    this.#count++
    this.#filled = this.#count === 1
    this.#checker.made(this.#server)
  }

  begins(entries: readonly unknown[]): void {
    this.#check(() => this.#checker.begins(this.#server, entries))
  }

  executed(slot: Slot, { clientId, op }: Command<unknown>, outcome: Uint8Array): void {
    this.#check(() => this.#checker.executed(this.#server, slot, clientId, op, outcome))
  }

  read(slot: Slot, op: unknown, outcome: Uint8Array, changed: boolean): void {
    this.#check(() => this.#checker.read(this.#server, slot, op, outcome, changed))
  }

  /** The same observer, which hears at the same time of the snapshots that are read into a state. */
  reading(observer: StorageObserver): StorageObserver {
    return {
      opening: (repair) => observer.opening(repair),
      opened: (records, batch) => observer.opened(records, batch),
      appending: (records) => observer.appending(records),
      durable: (records, batch) => observer.durable(records, batch),
      snapshot: (info, chunks) => observer.snapshot(info, chunks),
      read: (info, chunks) => {
        this.#filled = true
        observer.read(info, chunks)
      },
      unreadable: (info, error) => observer.unreadable(info, error),
    }
  }

  #check(check: () => void): void {
    try {
      check()
    } catch (error) {
      this.#broken(error)
    }
  }
}
