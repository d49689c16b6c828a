/** Whether a server is reached, and which; said at once in a corner, and across the page when it takes longer. */
import type { Connectivity } from '@synod/paxos'
import { byId } from './dom.js'

/** After so long (ms) without a connection it is said where nobody can overlook it: moving to another server takes less. */
const TROUBLE_AFTER = 1_500

export class ConnectionView {
  readonly #where = byId('where', HTMLElement)
  readonly #trouble = byId('trouble', HTMLElement)
  #isConnected = false
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor() {
    this.#show('Connecting…', '')
    this.#expect('No server answers yet. Trying again…')
  }

  get isConnected(): boolean {
    return this.#isConnected
  }

  changed(connectivity: Connectivity): void {
    this.#isConnected = connectivity.state === 'connected'
    clearTimeout(this.#timer)
    if (connectivity.state === 'connected') {
      this.#show(`Connected to ${connectivity.address}`, '')
      this.#trouble.hidden = true
    } else {
      this.#show('Reconnecting…', connectivity.reason)
      this.#expect('The connection is lost. Trying all servers… What you write is kept, and sent later.')
    }
  }

  /** The servers are reached, but do not do what they are asked to; null: they do. */
  trouble(sentence: string | null): void {
    if (!this.#isConnected) return
    clearTimeout(this.#timer)
    if (sentence === null) this.#trouble.hidden = true
    else this.#expect(sentence)
  }

  #show(sentence: string, reason: string): void {
    this.#where.classList.toggle('connected', this.#isConnected)
    this.#where.textContent = sentence
    this.#where.title = reason
  }

  #expect(sentence: string): void {
    this.#timer = setTimeout(() => {
      this.#trouble.textContent = sentence
      this.#trouble.hidden = false
    }, TROUBLE_AFTER)
  }
}
