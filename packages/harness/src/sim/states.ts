/** The states that one process has one after the other: tells the checker what becomes of them. */
import type { Command, State } from '@synod/paxos'
import type { Slot } from '@synod/paxos/internal/protocol/command'
import type { Checker } from './checker.js'
import type { StateObserver } from './observed-state.js'
import type { StorageObserver } from './observed-storage.js'

type Told = Pick<Checker, 'made' | 'begins' | 'executed' | 'read'>

export class States implements StateObserver {
  readonly #server: number
  readonly #checker: Told
  readonly #broken: (error: unknown) => void
  #state: State<unknown, unknown, unknown> | null = null
  /**
   * The first one is whole from the beginning. Each later one comes to be so when a snapshot was read into it; or when it
   * begins to execute, as it does where a snapshot turned out damaged, and the log still has everything.
   */
  #isWhole = true

  constructor(server: number, checker: Told, broken: (error: unknown) => void) {
    this.#server = server
    this.#checker = checker
    this.#broken = broken
  }

  /** The one that executes now; null while there is only a part of it. */
  get whole(): State<unknown, unknown, unknown> | null {
    return this.#isWhole ? this.#state : null
  }

  made(state: State<unknown, unknown, unknown>): void {
    this.#isWhole = this.#state === null
    this.#state = state
    this.#checker.made(this.#server)
  }

  begins(entries: readonly unknown[]): void {
    this.#isWhole = true
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
        this.#isWhole = true
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
