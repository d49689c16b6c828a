/** A service of one's own: an account that cannot be overdrawn. */
import { defineService, Refusal } from '@synod/paxos'
import type { Command } from '@synod/paxos'
import { z } from 'zod'

const op = z.discriminatedUnion('type', [
  z.object({ type: z.literal('pay'), amount: z.number().int().positive() }),
  z.object({ type: z.literal('balance') }),
])

class Account {
  #balance = 10
  execute(_slot: number, { op: asked }: Command<z.infer<typeof op>>): number {
    if (asked.type === 'balance') return this.#balance
    if (asked.amount > this.#balance) throw new Refusal('POOR', `there are only ${this.#balance}`)
    return (this.#balance -= asked.amount)
  }
  *snapshot(): Iterable<number> {
    yield this.#balance
  }
  restore(entries: Iterable<unknown>): void {
    for (const balance of entries) this.#balance = z.number().parse(balance)
  }
}

export const account = defineService({ name: 'account', op, state: () => new Account() })
