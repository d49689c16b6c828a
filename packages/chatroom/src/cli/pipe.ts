/** Messages from standard input that is not a terminal: each line is one. */
import { createInterface } from 'node:readline'
import { SynodError } from '@synod/paxos'
import { describeError, EXIT_DONE, EXIT_UNAVAILABLE, exitCodeOf, note, print } from '@synod/terminal'
import { connectChatroom } from '../connect.js'
import { isSettled, Outbox, type Me, type Unsent } from '../live/outbox.js'
import { counted, oneLine } from './lines.js'

/** So many messages are on their way at once. */
const WINDOW = 256

export interface PipeOptions {
  readonly servers: readonly string[]
  /** How long an answer may take, ms. */
  readonly timeout: number
  readonly me: Me
  readonly room: string
  readonly json: boolean
}

/**
 * Posts line after line, empty ones left out, in their order. A line that is refused is named, and no reason to stop; a
 * cluster that cannot be reached is. JSON: a line `{"line","number"}` or `{"line","error":{"code","message"}}` for each
 * message, in their order. Answers with the highest exit code that a line had.
 */
export async function pipe(options: PipeOptions): Promise<number> {
  const { servers, timeout } = options
  const client = connectChatroom({ servers, timeout })
  const poster = new Poster(options, (unsent) => new Outbox(client, options.room, options.me, unsent))
  try {
    for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
      if (!(await poster.take(line))) break
    }
    return await poster.end()
  } finally {
    poster.close()
    await client.close()
  }
}

class Poster {
  readonly #options: PipeOptions
  readonly #outbox: Outbox
  /** What was not told yet, in the order of the lines. */
  readonly #untold: { readonly line: number; readonly unsent: Unsent }[] = []
  #line = 0
  #posted = 0
  #worst = EXIT_DONE
  /** Why it ends. */
  #failure: SynodError | null = null
  #wake: () => void = () => undefined

  constructor(options: PipeOptions, outboxOf: (changed: (unsent: Unsent) => void) => Outbox) {
    this.#options = options
    this.#outbox = outboxOf(({ state, error }) => {
      // What has to go into another session begins anew there, and has its time.
      if (state === 'waiting' && error instanceof SynodError && error.code !== 'SESSION_EXPIRED')
        this.#failure ??= error
      this.#wake()
    })
  }

  /** Takes a line, when there is room for it; false if there is no sense in another one. */
  async take(text: string): Promise<boolean> {
    this.#line += 1
    if (text.trim() === '') return true
    this.#untold.push({ line: this.#line, unsent: this.#outbox.post(text) })
    await this.#tellUntil(WINDOW - 1)
    return this.#failure === null
  }

  /** Waits for what is on its way; answers with the exit code. */
  async end(): Promise<number> {
    await this.#tellUntil(0)
    const { json, room } = this.#options
    const lost = this.#untold.length
    if (this.#failure !== null) {
      for (const { line } of this.#untold) await this.#complain(line, this.#failure)
      if (!json) note(`chatroom-client: ${describeError(this.#failure, false)}`)
    }
    const maybe = this.#untold.filter(({ unsent }) => unsent.mayBeThere).length
    const unknown = maybe === 0 ? '' : `; ${counted(maybe, 'message')} had no outcome, and may be there or not`
    const rest = `${unknown}${maybe === lost ? '' : `; ${counted(lost - maybe, 'message')} not posted`}`
    if (!json) note(`${counted(this.#posted, 'message')} posted to ${oneLine(room)}${rest}.`)
    return this.#failure === null ? this.#worst : EXIT_UNAVAILABLE
  }

  close(): void {
    this.#outbox.close()
  }

  /** Tells outcomes, until so many messages or fewer are without one. */
  async #tellUntil(most: number): Promise<void> {
    for (;;) {
      const [first] = this.#untold
      if (first === undefined) return
      if (isSettled(first.unsent)) {
        this.#untold.shift()
        await this.#tell(first.line, first.unsent)
      } else if (this.#untold.length <= most || this.#failure !== null) return
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    }
  }

  async #tell(line: number, unsent: Unsent): Promise<void> {
    this.#outbox.remove(unsent)
    const { number, error } = unsent
    if (error === null) {
      this.#posted += 1
      if (this.#options.json) await print(JSON.stringify({ line, number }))
      return
    }
    this.#worst = Math.max(this.#worst, exitCodeOf(error) ?? EXIT_UNAVAILABLE)
    if (error instanceof SynodError) await this.#complain(line, error)
  }

  async #complain(line: number, error: SynodError): Promise<void> {
    const { code, message } = error
    if (this.#options.json) await print(JSON.stringify({ line, error: { code, message } }))
    else if (error !== this.#failure) note(`line ${line}: ${describeError(error, false)}`)
  }
}
