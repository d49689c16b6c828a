/**
 * The service as it should be: one instance, which executes each chosen command once, in slot order, with sessions by the
 * book (docs/PROTOCOL.md). What any server executes, and whatever a client is told, must be what is found here.
 */
import { packValue } from '@synod/paxos/internal/codec/values'
import type { Command, Reply, Result, Slot } from '@synod/paxos/internal/protocol/command'
import { SESSION_WINDOW } from '@synod/paxos/internal/protocol/session'
import type { StateMachine } from '@synod/paxos/internal/protocol/state'
import { machineOf } from '@synod/paxos/internal/service/service-codec'
import type { AnyService } from '../subject/subject.js'
import { observedService } from './observed-state.js'
import { Violation } from './violation.js'

/** One operation that takes effect. */
interface Execution {
  readonly slot: Slot
  readonly clientId: string
  readonly localId: number
  readonly op: Uint8Array
  /** What the state made of it, as bytes; and what the client is told. */
  readonly outcome: Uint8Array
  readonly result: Result
}

interface Session {
  readonly nonce: string
  acked: number
  /** By local id; forever, so that nothing can be executed again unnoticed. */
  readonly executions: Map<number, Execution>
  /** Local ids that were decided when the session was expired already. */
  readonly expired: Set<number>
  usedAt: number
  alive: boolean
}

type Operation = Extract<Command, { kind: 'op' }>

export class Reference {
  readonly #machine: StateMachine
  #outcome = new Uint8Array(0)
  /** By client id; all that ever were. */
  readonly #sessions = new Map<string, Session>()
  /** Client ids that were never opened, with the local ids that were decided for them. */
  readonly #unknown = new Map<string, Set<number>>()
  readonly #executions: Execution[] = []
  #clock = 0
  #next: Slot = 1

  constructor(service: AnyService) {
    const observed = observedService(service, (_slot, _command, outcome) => {
      this.#outcome = Uint8Array.from(outcome)
    })
    this.#machine = machineOf(observed).machine
  }

  /** The first slot that was not executed here. */
  get next(): Slot {
    return this.#next
  }

  /** Executes the command that is chosen for the next slot. */
  advance(command: Command): void {
    const slot = this.#next++
    switch (command.kind) {
      case 'op':
        return this.#decide(slot, command)
      case 'open':
        return this.#open(slot, command.nonce)
      case 'clock':
        this.#clock += command.elapsed
        for (const session of this.#sessions.values())
          if (this.#clock - session.usedAt > command.ttl) session.alive = false
        return
      case 'noop':
        return
    }
  }

  /**
   * A server executes an operation, the `position`th of its life (from 0): it must be the one that comes there.
   * Throws {@link Violation}.
   */
  compare(server: number, position: number, slot: Slot, clientId: string, op: unknown, outcome: Uint8Array): void {
    if (slot >= this.#next)
      throw new Violation('R1', `server ${server} executed slot ${slot}, for which nothing is durable on a majority`)
    const expected = this.#executions[position]
    const before = this.#executions[position - 1]
    if (before !== undefined && slot <= before.slot)
      throw new Violation('R4', `server ${server} executed slot ${slot} after slot ${before.slot}`)
    if (expected === undefined || slot < expected.slot)
      throw new Violation('exactly-once', `server ${server} executed slot ${slot}, which must not be executed (again)`)
    if (slot > expected.slot)
      throw new Violation('R3', `server ${server} executed slot ${slot}, and has left out slot ${expected.slot}`)
    if (clientId !== expected.clientId || !same(packValue(op), expected.op))
      throw new Violation('R1', `server ${server} executed another command in slot ${slot} than the chosen one`)
    if (!same(outcome, expected.outcome))
      throw new Violation('R3', `the state of server ${server} made something else of slot ${slot} than it should`)
  }

  /** A server answers a client. Throws {@link Violation}. */
  answered(server: number, { clientId, localId, result }: Reply): void {
    if (result.status === 'busy') return
    const wrong = (rule: string, what: string): Violation =>
      new Violation(rule, `server ${server} answers ${clientId}/${localId} with "${result.status}", ${what}`)
    if (localId === 0) {
      const opened = Buffer.from(result.value).toString()
      if (this.#sessions.get(opened)?.nonce === clientId) return
      throw wrong('replies', `but there is no session ${opened}`)
    }
    const session = this.#sessions.get(clientId)
    const execution = session?.executions.get(localId)
    switch (result.status) {
      case 'ok':
      case 'refused':
        if (execution === undefined) throw wrong('replies', 'but it was not executed')
        if (result.status !== execution.result.status || !same(result.value, execution.result.value))
          throw wrong('one reply', `which is not what slot ${execution.slot} came to`)
        return
      case 'expired':
        if (session?.expired.has(localId) !== true && this.#unknown.get(clientId)?.has(localId) !== true)
          throw wrong('replies', 'but its session was alive')
        return
      case 'stale':
        if (session === undefined || (localId > session.acked && localId <= session.acked + SESSION_WINDOW))
          throw wrong('replies', 'but its client does not know an outcome of it')
    }
  }

  #open(slot: Slot, nonce: string): void {
    const executions = new Map<number, Execution>()
    const session = { nonce, acked: 0, executions, expired: new Set<number>(), usedAt: this.#clock, alive: true }
    this.#sessions.set(`${slot.toString(36)}.${nonce}`, session)
  }

  #decide(slot: Slot, { clientId, localId, acked, op }: Operation): void {
    const session = this.#sessions.get(clientId)
    if (session?.alive !== true) return this.#refuse(session, clientId, localId)
    session.usedAt = this.#clock
    session.acked = Math.max(session.acked, acked)
    if (localId <= session.acked || localId > acked + SESSION_WINDOW || session.executions.has(localId)) return
    const result = this.#machine.execute(slot, clientId, op)
    const execution = { slot, clientId, localId, op, outcome: this.#outcome, result }
    session.executions.set(localId, execution)
    this.#executions.push(execution)
  }

  #refuse(session: Session | undefined, clientId: string, localId: number): void {
    if (session !== undefined) session.expired.add(localId)
    else this.#unknown.set(clientId, (this.#unknown.get(clientId) ?? new Set()).add(localId))
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0
}
