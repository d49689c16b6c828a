/** The messages of one room that are on their way: each comes into the room once, and in the order of this list. */
import type { ChatClient } from '../client.js'
import { codeOf, mayHaveHappened, mayPass, Patience } from './patience.js'
import { drawSecret } from './secret.js'

/** So many are under way at most. */
const WINDOW = 256

/** Who writes. */
export interface Me {
  /** May change; messages that were written keep the name that they were written under. */
  readonly name: string
  /** 32 hexadecimal digits; see {@link drawSecret}. */
  readonly key: string
}

/** What of a message is known already: for one that was kept from an earlier life, and may be in the room. */
export type Draft = Partial<Pick<Unsent, 'nonce' | 'at' | 'author'>>

/** A message that was written here and did not come back in the room's own order yet. */
export interface Unsent {
  /** By this it is known again. */
  readonly nonce: string
  readonly author: string
  readonly text: string
  /** When it was written, ms since the epoch. */
  readonly at: number
  /**
   * `sending`: on its way. `waiting`: something is wrong, see `error`; it will be sent again until there is an outcome, and
   * never be doubled. `sent`: decided. `refused`: it will never be in the room, see `error`.
   */
  readonly state: 'sending' | 'waiting' | 'sent' | 'refused'
  /** A message that waits: it may be in the room nevertheless. */
  readonly mayBeThere: boolean
  readonly error: Error | null
  /** Its number in the room, if it is sent. */
  readonly number: number | null
}

/** Whether a message has its outcome. */
export function isSettled({ state }: Unsent): boolean {
  return state === 'sent' || state === 'refused'
}

class Entry implements Unsent {
  readonly nonce: string
  readonly author: string
  readonly at: number
  state: Unsent['state'] = 'sending'
  mayBeThere = false
  error: Error | null = null
  /** A call is under way. */
  isUnderWay = false
  /** It was refused because the one before was not there: to be sent when that one has its outcome. */
  isEarly = false
  number: number | null = null

  constructor(
    readonly text: string,
    author: string,
    draft: Draft,
  ) {
    this.nonce = draft.nonce ?? drawSecret()
    this.author = draft.author ?? author
    this.at = draft.at ?? Date.now()
  }
}

export class Outbox {
  readonly #client: ChatClient
  readonly #room: string
  readonly #me: Me
  readonly #changed: (unsent: Unsent) => void
  readonly #patience = new Patience()
  #entries: Entry[] = []
  #isWaiting = false
  #isClosed = false

  /** @param changed hears of each new state of a message */
  constructor(client: ChatClient, room: string, me: Me, changed: (unsent: Unsent) => void) {
    this.#client = client
    this.#room = room
    this.#me = me
    this.#changed = changed
  }

  /** In the order in which they were written. */
  get entries(): readonly Unsent[] {
    return this.#entries
  }

  /** How many have no outcome yet. */
  get pending(): number {
    return this.#entries.reduce((pending, entry) => pending + (isSettled(entry) ? 0 : 1), 0)
  }

  post(text: string, draft: Draft = {}): Unsent {
    const entry = new Entry(text, this.#me.name, draft)
    this.#entries.push(entry)
    this.#pump()
    return entry
  }

  /** A message of this nonce is in the room, at this number: no need to show it twice. */
  seen(nonce: string, number: number): void {
    const entry = this.#entries.find((each) => each.nonce === nonce)
    if (entry === undefined) return
    entry.number = number
    this.#settle(entry, 'sent', null)
    this.remove(entry)
    this.#pump()
  }

  /** All messages of the room up to this number are shown. */
  shownThrough(number: number): void {
    this.#entries = this.#entries.filter((entry) => entry.state !== 'sent' || (entry.number ?? 0) > number)
  }

  /** Forgets about one that has an outcome. */
  remove(unsent: Unsent): void {
    this.#entries = this.#entries.filter((entry) => entry !== unsent || !isSettled(entry))
  }

  /** Sends what waits, at once. */
  hurry(): void {
    this.#patience.hurry()
  }

  /** Nothing is sent any more. */
  close(): void {
    this.#isClosed = true
    this.#patience.hurry()
  }

  /**
   * Sends what can be sent. One may follow another one that is under way, as it says whom it follows: the room does not take
   * it in before that one.
   */
  #pump(): void {
    if (this.#isClosed || this.#isWaiting) return
    let before: Entry | undefined
    let underWay = 0
    for (const entry of this.#entries) {
      if (isSettled(entry)) continue
      if (!entry.isUnderWay) {
        if (before !== undefined && entry.isEarly) return
        void this.#send(entry, before)
      }
      before = entry
      if (++underWay >= WINDOW) return
    }
  }

  async #send(entry: Entry, before: Entry | undefined): Promise<void> {
    const { nonce, author, text, at } = entry
    const follows = before === undefined ? {} : { follows: before.nonce }
    entry.isUnderWay = true
    entry.isEarly = false
    try {
      const message = { room: this.#room, author, key: this.#me.key, text, at, nonce }
      const { number } = await this.#client.post({ ...message, ...follows })
      entry.isUnderWay = false
      entry.number = number
      this.#patience.worked()
      this.#settle(entry, 'sent', null)
    } catch (error) {
      entry.isUnderWay = false
      this.#failed(entry, error)
    }
    this.#pump()
  }

  #failed(entry: Entry, error: unknown): void {
    if (isSettled(entry)) return // it was seen in the room meanwhile
    if (!(error instanceof Error) || codeOf(error) === '') throw error
    const isClosed = codeOf(error) === 'CLOSED'
    if (codeOf(error) === 'OUT_OF_ORDER') entry.isEarly = true
    else if (isClosed || mayPass(error)) {
      entry.state = 'waiting'
      entry.mayBeThere ||= mayHaveHappened(error)
      entry.error = error
      this.#changed(entry)
      if (isClosed) this.close()
      else void this.#waitAndPump()
    } else this.#settle(entry, 'refused', error)
  }

  #settle(entry: Entry, state: 'sent' | 'refused', error: Error | null): void {
    if (isSettled(entry)) return
    entry.state = state
    entry.error = error
    this.#changed(entry)
  }

  async #waitAndPump(): Promise<void> {
    if (this.#isWaiting) return
    this.#isWaiting = true
    await this.#patience.wait()
    this.#isWaiting = false
    this.#pump()
  }
}
