/** The service that simulations run: an append-only list. The results tell each entry's place, so that any doubling, loss or re-ordering shows. */
import type { Command, State } from '@synod/paxos'
import { defineService } from '@synod/paxos'
import { z } from 'zod'

/** Client `client` appends its entry number `number` (from 1). */
const op = z.object({ client: z.number().int(), number: z.number().int() })
export type Entry = z.infer<typeof op>

export class Ledger implements State<Entry, number> {
  entries: Entry[] = []

  /** Appends, and gives the entry's place, from 0. */
  execute(_slot: number, command: Command<Entry>): number {
    return this.entries.push(command.op) - 1
  }

  *snapshot(): Iterable<Entry> {
    yield* this.entries
  }

  restore(entries: Iterable<unknown>): void {
    this.entries = Array.from(entries, (entry) => op.parse(entry))
  }
}

/** A ledger service; `made` is told of each state that a server makes. */
export function ledger(made: (state: Ledger) => void = () => undefined) {
  return defineService({
    name: 'ledger',
    op,
    state: () => {
      const state = new Ledger()
      made(state)
      return state
    },
  })
}
