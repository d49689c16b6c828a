/** A service of which the test's servers and its page have the same definition. */
import { defineService, Refusal } from '@synod/paxos'
import type { Command, State } from '@synod/paxos'
import { z } from 'zod'

const echoOp = z.object({ value: z.unknown() })
type EchoOp = z.output<typeof echoOp>

class EchoState implements State<EchoOp, unknown, unknown> {
  #last: unknown = null

  execute(_slot: number, { op: { value } }: Command<EchoOp>, emit: (event: unknown) => void): unknown {
    if (value === 'no') throw new Refusal('NO', 'this is not to be said', { value })
    emit(value)
    this.#last = value
    return value
  }

  *snapshot(): Generator {
    yield this.#last
  }

  restore([last]: Iterable<unknown> & [unknown]): void {
    this.#last = last
  }
}

/** Answers with what it was told, and tells everybody. */
export const echo = defineService<typeof echoOp, unknown, unknown>({
  name: 'echo',
  op: echoOp,
  state: () => new EchoState(),
})
