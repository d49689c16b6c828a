/**
 * A map by command, as clients and their retries mean them: two copies of one are the same. It is on the way of every
 * command several times, so no text is made of a session and a number.
 */
import { ByNumber } from './by-number.js'
import type { Command } from './command.js'

export class ByCommand<Value> {
  /** Of operations: by session, then by local id. */
  readonly #sessions = new Map<string, ByNumber<Value>>()
  /** Of what has no local id: by a text of its own. */
  readonly #others = new Map<string, Value>()
  /** Of the session whose last command was removed: for the next one. */
  #spare: ByNumber<Value> | undefined
  #operations = 0
  /** Commands of one session follow each other often. */
  #lastId = ''
  #last: ByNumber<Value> | undefined

  get size(): number {
    return this.#operations + this.#others.size
  }

  get(command: Command): Value | undefined {
    if (command.kind !== 'op') return this.#others.get(keyOf(command))
    return this.#session(command.clientId)?.get(command.localId)
  }

  set(command: Command, value: Value): void {
    if (command.kind !== 'op') return void this.#others.set(keyOf(command), value)
    let session = this.#session(command.clientId)
    if (session === undefined) {
      session = this.#spare ?? new ByNumber()
      this.#spare = undefined
      this.#sessions.set(command.clientId, session)
      this.#last = session
    }
    const before = session.size
    session.set(command.localId, value)
    this.#operations += session.size - before
  }

  /** Removes it, if it is there. */
  delete(command: Command): void {
    if (command.kind !== 'op') return void this.#others.delete(keyOf(command))
    const session = this.#session(command.clientId)
    if (session?.delete(command.localId) !== true) return
    this.#operations--
    if (session.size > 0) return
    this.#sessions.delete(command.clientId)
    this.#spare = session
    this.#last = undefined
  }

  clear(): void {
    this.#sessions.clear()
    this.#others.clear()
    this.#operations = 0
    this.#last = undefined
  }

  #session(clientId: string): ByNumber<Value> | undefined {
    if (clientId === this.#lastId) return this.#last
    this.#lastId = clientId
    return (this.#last = this.#sessions.get(clientId))
  }
}

/** Ids and nonces hold no `/`. */
function keyOf(command: Exclude<Command, { kind: 'op' }>): string {
  if (command.kind === 'noop') return '/noop'
  return command.kind === 'end' ? `end/${command.clientId}` : `${command.kind}/${command.nonce}`
}
