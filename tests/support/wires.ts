/** What is in flight between the servers of a test, and which links are cut. */
import type { ServerId } from '@synod/paxos/internal/protocol/ballot'
import type { Message } from '@synod/paxos/internal/protocol/message'
import type { Envelope } from '@synod/paxos/internal/protocol/ready'
import { showMessage } from './transcript.js'

export interface InFlight {
  readonly from: ServerId
  readonly to: ServerId
  readonly message: Message
}

export class Wires {
  #inFlight: InFlight[] = []
  readonly #cut = new Set<string>()

  get idle(): boolean {
    return this.#inFlight.length === 0
  }

  /** A message to each other server that it is for. */
  send(from: ServerId, { to, message }: Envelope): void {
    for (const each of to) if (each !== from) this.#inFlight.push({ from, to: each, message })
  }

  putBack(messages: readonly InFlight[]): void {
    this.#inFlight.push(...messages)
  }

  /** Takes messages out: all of them, or those whose line, as it is shown to one receiver, begins with one of the names. */
  take(names: readonly string[] = []): InFlight[] {
    const named = (name: string, each: InFlight): boolean =>
      `${each.from}→${each.to} ${showMessage(each.message)}`.startsWith(name)
    for (const name of names) {
      if (!this.#inFlight.some((each) => named(name, each))) throw new Error(`no such message is in flight: ${name}`)
    }
    const chosen = (each: InFlight): boolean => names.length === 0 || names.some((name) => named(name, each))
    const taken = this.#inFlight.filter(chosen)
    this.#inFlight = this.#inFlight.filter((each) => !chosen(each))
    return taken
  }

  /** No message passes between the two, either way, until all links are healed. */
  cut(link: string): void {
    this.#cut.add(link)
  }

  heal(): void {
    this.#cut.clear()
  }

  areCut(a: ServerId, b: ServerId): boolean {
    return this.#cut.has(`${Math.min(a, b)}-${Math.max(a, b)}`)
  }
}
