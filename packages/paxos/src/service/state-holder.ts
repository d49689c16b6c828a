/** Holds a service's state, so that another one can take its place: when a snapshot is installed, it begins anew. */
import type { Slot } from '../protocol/command.js'
import { SynodError } from '../protocol/error.js'
import { isInPieces } from './service.js'
import type { State } from './service.js'

/** What a state's snapshot yields, and how it is to be drained. */
export interface StateView {
  readonly entries: Iterable<unknown>
  /** Fixed: it may be drained little by little, while operations are executed. Else at once, before anything else happens. */
  readonly pieces: boolean
}

/** A service's state, as whoever saves and restores it sees it. */
export interface StateHolder {
  /** As the state is now. Throws whatever the state throws, now or while it is drained. */
  snapshot(): StateView
  /** A new, empty state takes its place. */
  reset(): void
  /**
   * Gives entries to the state, which is new: once, or once for each piece. Throws SynodError `STATE_FAILED` if the state
   * does not take them: that is a mistake of the service's, and the server cannot go on with such a state.
   */
  restore(entries: readonly unknown[]): void
  /** Hears of each mark, at once after it was executed. */
  onMark: ((slot: Slot, chain: string) => void) | null
}

/** A {@link StateHolder} that makes its states by itself. */
export class ServiceState<Op, Value, Event> implements StateHolder {
  readonly #service: { readonly name: string; readonly state: () => State<Op, Value, Event> }
  #state: State<Op, Value, Event>
  onMark: StateHolder['onMark'] = null

  constructor(service: { readonly name: string; readonly state: () => State<Op, Value, Event> }) {
    this.#service = service
    this.#state = service.state()
  }

  /** The one that executes operations now. */
  get state(): State<Op, Value, Event> {
    return this.#state
  }

  snapshot(): StateView {
    const entries = this.#state.snapshot()
    return { entries, pieces: isInPieces(entries) }
  }

  reset(): void {
    this.#state = this.#service.state()
  }

  restore(entries: readonly unknown[]): void {
    try {
      this.#state.restore(entries)
    } catch (error) {
      const { name } = this.#service
      const reason = error instanceof Error ? error.message : String(error)
      const failure = new SynodError('STATE_FAILED', `the state of service "${name}" cannot be restored: ${reason}`, {
        service: name,
      })
      failure.cause = error
      throw failure
    }
  }
}
