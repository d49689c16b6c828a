/** Questions to servers, whatever they serve. */
import type { ServerStatus } from '@synod/paxos'
import { ClientError } from '@synod/paxos'
import { Inquiry } from '@synod/paxos/internal/client/inquiry'
import { realClock } from '@synod/paxos/internal/clock'
import { WebSocketDialer } from '@synod/paxos/internal/transport/ws-dialer'

export class Questions {
  readonly #dialer = new WebSocketDialer()

  /** null: no answer within `timeout` ms. */
  status(address: string, timeout: number): Promise<ServerStatus | null> {
    return this.#ask(address, timeout, (inquiry) => inquiry.status())
  }

  /** The state, all of it within `timeout` ms; null if it did not come. */
  dump(address: string, timeout: number): Promise<{ slot: number; entries: unknown[] } | null> {
    return this.#ask(address, timeout, async (inquiry) => {
      const { slot, entries } = await inquiry.dump()
      const all: unknown[] = []
      for await (const entry of entries) all.push(entry)
      return { slot, entries: all }
    })
  }

  /** Has the server write a snapshot, which is durable then; a sentence if there is none within `timeout` ms. */
  snapshot(address: string, timeout: number): Promise<string | null> {
    return this.#do(address, timeout, 'snapshot', (inquiry) => inquiry.snapshot())
  }

  /** Has the server, which leads, hand leadership over; a sentence if that other one does not lead within `timeout` ms. */
  handOver(address: string, to: number, timeout: number): Promise<string | null> {
    return this.#do(address, timeout, 'other leader', (inquiry) => inquiry.handOver(to).then(() => true))
  }

  close(): Promise<void> {
    return this.#dialer.close('the run is over')
  }

  /** Has it done; a sentence if it was not. */
  async #do(
    address: string,
    timeout: number,
    what: string,
    ask: (inquiry: Inquiry) => Promise<unknown>,
  ): Promise<string | null> {
    let why = `no ${what} within ${timeout} ms`
    const done = await this.#ask(address, timeout, (inquiry) =>
      ask(inquiry).catch((error: unknown) => {
        if (error instanceof ClientError) why = error.message
        throw error
      }),
    )
    return done === null ? why : null
  }

  async #ask<T>(address: string, timeout: number, ask: (inquiry: Inquiry) => Promise<T>): Promise<T | null> {
    const inquiry = new Inquiry(null, address, timeout, this.#dialer, realClock)
    const timer = setTimeout(() => void inquiry.close('no answer in time'), timeout)
    try {
      return await ask(inquiry)
    } catch (error) {
      if (error instanceof ClientError) return null
      throw error
    } finally {
      clearTimeout(timer)
      void inquiry.close('answered')
    }
  }
}
