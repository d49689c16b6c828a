/** What the tests of the checker share: a service that adds up, and a cluster that has executed two commands of it. */
import { defineService } from '@synod/paxos'
import { packValue } from '@synod/paxos/internal/codec/values'
import type { Ballot } from '@synod/paxos/internal/protocol/ballot'
import type { Command, Run } from '@synod/paxos/internal/protocol/command'
import type { StoredRecord } from '@synod/paxos/internal/storage/storage'
import { Checker } from '@synod/harness/internal/sim/checker'
import type { Voter } from '@synod/harness/internal/sim/votes'
import { Refusal } from '@synod/paxos'
import type { Test } from 'tap'
import { z } from 'zod'

/** Adds up; refuses what is negative; announces what is above ten. */
class Sum {
  #sum = 0
  execute(_slot: number, { op }: { readonly op: { readonly add: number } }, emit: (event: number) => void): number {
    if (op.add < 0) throw new Refusal('NEGATIVE', 'no')
    this.#sum += op.add
    if (this.#sum > 10) emit(this.#sum)
    return this.#sum
  }
  *snapshot(): Iterable<number> {
    yield this.#sum
  }
  restore([sum]: readonly number[]): void {
    this.#sum = sum ?? 0
  }
}
export const service = defineService({ name: 'sum', op: z.object({ add: z.number() }), state: () => new Sum() })

export const WINDOW = 10
export const ballot = (round: number, server = 0, start = 7): Ballot => ({ round, server, start })
export const open = (nonce = 'n'): Command => ({ kind: 'open', nonce })
/** The session that `open('n')` in slot 1 opens. */
export const SESSION = '1.n'
export const add = (localId: number, by = localId, clientId = SESSION, acked = 0): Command => ({
  ...{ kind: 'op', clientId, localId, acked },
  op: packValue({ add: by }),
})
export const run = (at: Ballot, first: number, ...commands: Command[]): Run => ({ ballot: at, first, commands })
export const accept = (at: Ballot, first: number, ...commands: Command[]): StoredRecord => {
  return { type: 'accept', run: run(at, first, ...commands) }
}
export const promise = (at: Ballot): StoredRecord => ({ type: 'promise', ballot: at })
export const voter = (server: number, life = 0, lives: readonly number[] = []): Voter => ({ server, life, lives })
/** What an acceptor that was never repaired, and has collected nothing, says of that. */
export const NOW = { collected: 0, lives: [] } as const

/** Checks that a rule is broken by this. */
export function breaks(t: Test, rule: string, call: () => unknown, what = /./): void {
  t.throws(call, { name: 'Violation', message: new RegExp(`^${rule}: .*${what.source}`) })
}

/** Servers, and a session with two commands that are chosen at ballot 1.0 by the first ones: 1 + 2 = 3. */
export function begun(servers = 3): { checker: Checker; log: StoredRecord[] } {
  const checker = new Checker(servers, service, WINDOW)
  for (let server = 0; server < servers; server++) checker.started(server)
  const log: StoredRecord[] = [promise(ballot(1)), accept(ballot(1), 1, open(), add(1), add(2))]
  for (let server = 0; server * 2 <= servers; server++) checker.durable(server, log, 3)
  return { checker, log }
}
