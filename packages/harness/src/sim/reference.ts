/**
 * The service as it should be: one instance, which executes each chosen command once, in slot order, with sessions by the
 * book (docs/PROTOCOL.md). What any server executes, and whatever a client is told, must be what is found here.
 */
import { packValue, unpackValue } from '@synod/paxos/internal/codec/values'
import { Chain } from '@synod/paxos/internal/protocol/audit'
import type { Command, Reply, Result, Slot } from '@synod/paxos/internal/protocol/command'
import type { SlotEvents } from '@synod/paxos/internal/protocol/event-ring'
import { SESSION_WINDOW } from '@synod/paxos/internal/protocol/session'
import type { Emit, StateMachine } from '@synod/paxos/internal/protocol/state'
import { machineOf } from '@synod/paxos/internal/service/service-codec'
import type { Read } from '@synod/paxos/internal/service/service-codec'
import type { StateHolder } from '@synod/paxos/internal/service/state-holder'
import type { AnyService } from '../subject/subject.js'
import type { Image } from './image.js'
import { latest } from './image.js'
import { ENDED, observedService } from './observed-state.js'
import { Violation } from './violation.js'

const NOTHING: Result = { status: 'ok', value: new Uint8Array(0) }

/** One operation that takes effect, or the end of a session. */
interface Execution {
  readonly slot: Slot
  readonly clientId: string
  readonly op: Uint8Array
  /** What the state made of it, as bytes; and what the client is told. */
  readonly outcome: Uint8Array
  readonly result: Result
}

interface Session {
  readonly nonce: string
  /** Counts up with the commands of all sessions: when it was used last. */
  used: Slot
  acked: number
  /** By local id; forever, so that nothing can be executed again unnoticed. */
  readonly executions: Map<number, Execution>
  /** Local ids that were decided when the session was expired already. */
  readonly expired: Set<number>
  alive: boolean
}

type Operation = Extract<Command, { kind: 'op' }>

export class Reference {
  readonly #service: AnyService
  readonly #machine: StateMachine
  readonly #holder: StateHolder
  readonly #read: Read<unknown>
  readonly #chain = new Chain()
  /** What was executed, by slot − 1. */
  readonly #commands: Command[] = []
  /** One that stands at a former slot, for {@link image}. */
  #past: Reference | undefined
  #outcome = new Uint8Array(0)
  /** By client id; all that ever were. */
  readonly #sessions = new Map<string, Session>()
  /** Client ids that were never opened, with the local ids that were decided for them. */
  readonly #unknown = new Map<string, Set<number>>()
  readonly #executions: Execution[] = []
  /** Events by slot. */
  readonly #events = new Map<Slot, Uint8Array[]>()
  #next: Slot = 1

  constructor(service: AnyService) {
    const observed = observedService(service, {
      executed: (_slot, _command, outcome) => {
        this.#outcome = Uint8Array.from(outcome)
      },
      read: (_slot, _op, outcome) => {
        this.#outcome = Uint8Array.from(outcome)
      },
    })
    this.#service = service
    const { machine, holder, read } = machineOf(observed)
    this.#machine = machine
    this.#holder = holder
    this.#read = read
  }

  /** The first slot that was not executed here. */
  get next(): Slot {
    return this.#next
  }

  /** Executes the command that is chosen for the next slot. */
  advance(command: Command): void {
    const slot = this.#next++
    this.#commands.push(command)
    this.#chain.add(slot, command)
    switch (command.kind) {
      case 'op':
        return this.#decide(slot, command)
      case 'open':
        return this.#open(slot, command.nonce)
      case 'end':
        return this.#end(slot, command.clientId)
      case 'mark':
      case 'noop':
        return
    }
  }

  /** What a replica holds after this slot, which was executed here. */
  image(slot: Slot): Image {
    const reference = this.after(slot, this.#past)
    if (reference !== this) this.#past = reference
    return reference.#image()
  }

  /** This one, or one that stands at a former slot: `past`, if that has not gone beyond it. */
  after(slot: Slot, past: Reference | undefined): Reference {
    if (slot === this.#next - 1) return this
    const reference = past === undefined || past.next > slot + 1 ? new Reference(this.#service) : past
    for (const command of this.#commands.slice(reference.next - 1, slot)) reference.advance(command)
    return reference
  }

  /** What comes of an operation that only reads, as the state is now; as {@link observedService} tells it. */
  answer(op: unknown): Uint8Array {
    this.#read(this.#next - 1, op)
    return this.#outcome
  }

  /** The position of the first operation behind this slot among all that take effect (from 0). */
  positionBehind(slot: Slot): number {
    const position = this.#executions.findIndex((execution) => execution.slot > slot)
    return position < 0 ? this.#executions.length : position
  }

  /**
   * A server executes an operation, the `position`th of all (from 0): it must be the one that comes there.
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

  /** A server sends events of a feed, of which the last one before was of slot `before`. Throws {@link Violation}. */
  told(server: number, before: Slot, slots: readonly SlotEvents[]): void {
    let last = before
    for (const { slot, events } of slots) {
      const wrong = (what: string): Violation =>
        new Violation('feeds', `server ${server} sends events of slot ${slot} behind slot ${last}, ${what}`)
      if (slot >= this.#next) throw wrong('for which nothing is durable on a majority')
      for (let between = last + 1; between < slot; between++)
        if (this.#events.has(between)) throw wrong(`and leaves out slot ${between}`)
      const expected = this.#events.get(slot) ?? []
      if (slot <= last || events.length !== expected.length || !events.every((event, at) => same(event, expected[at])))
        throw wrong('which are not those that come there')
      last = slot
    }
  }

  /** A server answers a client. Throws {@link Violation}. */
  answered(server: number, { clientId, localId, result }: Reply): void {
    if (result.status === 'busy') return
    const wrong = (rule: string, what: string): Violation =>
      new Violation(rule, `server ${server} answers ${clientId}/${localId} with "${result.status}", ${what}`)
    if (localId === 0) {
      if (this.#sessions.get(clientId)?.alive === false) return // the end of it
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

  #image(): Image {
    const alive = [...this.#sessions].filter(([, { alive }]) => alive).sort(([, a], [, b]) => a.used - b.used)
    const sessions = alive.map(([clientId, { acked, executions }]) => {
      const kept = [...executions].filter(([localId]) => localId > acked)
      return { clientId, acked, results: kept.map(([id, { result }]) => [id, result.status, result.value] as const) }
    })
    const entries = unpackValue(packValue([...this.#holder.snapshot().entries])) as unknown[]
    const { end, block } = this.#chain
    return { chain: end, block, sessions, events: latest(this.#events), entries }
  }

  #open(slot: Slot, nonce: string): void {
    const executions = new Map<number, Execution>()
    const session = { nonce, used: slot, acked: 0, executions, expired: new Set<number>(), alive: true }
    this.#sessions.set(`${slot.toString(36)}.${nonce}`, session)
  }

  #end(slot: Slot, clientId: string): void {
    const session = this.#sessions.get(clientId)
    if (session?.alive !== true) return
    session.alive = false
    this.#machine.ended(slot, clientId, this.#emitter(slot))
    this.#executions.push({ slot, clientId, op: packValue(ENDED), outcome: this.#outcome, result: NOTHING })
  }

  #emitter(slot: Slot): Emit {
    return (event) => {
      const events = this.#events.get(slot)
      if (events === undefined) this.#events.set(slot, [event])
      else events.push(event)
    }
  }

  #decide(slot: Slot, { clientId, localId, acked, op }: Operation): void {
    const session = this.#sessions.get(clientId)
    if (session?.alive !== true) return this.#refuse(session, clientId, localId)
    session.used = slot
    session.acked = Math.max(session.acked, acked)
    if (localId <= session.acked || localId > acked + SESSION_WINDOW || session.executions.has(localId)) return
    const result = this.#machine.execute(slot, clientId, op, this.#emitter(slot))
    const execution = { slot, clientId, op, outcome: this.#outcome, result }
    session.executions.set(localId, execution)
    this.#executions.push(execution)
  }

  #refuse(session: Session | undefined, clientId: string, localId: number): void {
    if (session !== undefined) session.expired.add(localId)
    else this.#unknown.set(clientId, (this.#unknown.get(clientId) ?? new Set()).add(localId))
  }
}

function same(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return a.length === b?.length && Buffer.compare(a, b) === 0
}
