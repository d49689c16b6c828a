/**
 * Watches all servers of a simulation at once, and knows what none of them can know: which command is chosen for a slot,
 * and what comes of it. It trusts no server's word: what is chosen follows from what has become durable on the simulated
 * disks. Every method throws {@link Violation} when a rule is broken; docs/TESTING.md lists the rules.
 */
import type { Ballot, ServerId } from '@synod/paxos/internal/protocol/ballot'
import { BOTTOM, compareBallots, showBallot } from '@synod/paxos/internal/protocol/ballot'
import type { Command, Reply, Run, Slot } from '@synod/paxos/internal/protocol/command'
import { lastSlot, sameCommand } from '@synod/paxos/internal/protocol/command'
import type { Message, P1b, P2a, P2b } from '@synod/paxos/internal/protocol/message'
import type { StoredRecord } from '@synod/paxos/internal/storage/storage'
import type { AnyService } from '../subject/subject.js'
import type { Loss } from './durable-log.js'
import { DurableLog } from './durable-log.js'
import { Pvalues } from './pvalues.js'
import { Reference } from './reference.js'
import { Violation } from './violation.js'

/** What is known of one server. */
interface Watched {
  disk: DurableLog
  /** Its directory was emptied when it had promised something: it must not answer as an acceptor any more. */
  forgetful: boolean
  /** Counts its lives. */
  life: number
  /** How many operations its present life has executed. */
  executed: number
  /** The highest ballot that it has answered with; and what that was when its present life began. */
  answered: Ballot
  answeredBefore: Ballot
  /** By receiver: the slotOut that this life told last. */
  told: Slot[]
}

/**
 * What was done to a server's disk since its last start: null for nothing; `wiped` if it was emptied; otherwise the numbers
 * of all batches that were still whole on it afterwards.
 */
export type Damage = 'wiped' | readonly number[] | null

/** Messages that leave at once, with the sender's slotOut of that moment. */
const TELLS = ['p2a', 'decision', 'heartbeat', 'heartbeatReply', 'decided'] as const
type Telling = Extract<Message, { type: (typeof TELLS)[number] }>

export class Checker {
  readonly #window: number
  readonly #servers: readonly Watched[]
  readonly #pvalues: Pvalues
  readonly #reference: Reference
  /** By ballot: the life of its server that leads it. */
  readonly #leaders = new Map<string, number>()

  /** @param window no slot is proposed at or above slotOut + window (R5) */
  constructor(servers: number, service: AnyService, window: number) {
    this.#window = window
    this.#pvalues = new Pvalues(servers)
    this.#reference = new Reference(service)
    this.#servers = Array.from({ length: servers }, () => ({
      disk: new DurableLog(),
      forgetful: false,
      life: 0,
      executed: 0,
      answered: BOTTOM,
      answeredBefore: BOTTOM,
      told: [],
    }))
  }

  /** How many slots have a chosen command. */
  get chosen(): number {
    return this.#pvalues.chosenCount
  }

  /** A new life of a server begins: its state is empty. */
  started(server: ServerId): void {
    const watched = this.#watched(server)
    watched.life++
    watched.executed = 0
    watched.answeredBefore = watched.answered
    watched.told = []
  }

  /** These records of the server have become durable, in this batch. */
  durable(server: ServerId, records: readonly StoredRecord[], batch: number): void {
    const { disk } = this.#watched(server)
    for (const record of records) {
      if (record.type === 'promise' && compareBallots(record.ballot, disk.promised) <= 0)
        throw new Violation(
          'A1',
          `server ${server} promised ${showBallot(record.ballot)} after ${showBallot(disk.promised)}`,
        )
      if (record.type === 'accept' && compareBallots(record.run.ballot, disk.promised) < 0)
        throw new Violation(
          'A2',
          `server ${server} accepted at ${showBallot(record.run.ballot)} under its promise of ${showBallot(disk.promised)}`,
        )
      disk.add([record], batch)
      this.#hold(server, record)
    }
  }

  /**
   * What a server found on its disk at a start: nothing that was durable may be missing.
   *
   * @param batch the number of the seal that the start wrote behind it
   * @returns null if all is there; otherwise what is missing, where no single server could have known: nothing whole stood
   *   behind it, so it looked like a write that was torn off. The server must not go on.
   */
  recovered(
    server: ServerId,
    records: readonly StoredRecord[],
    batch: number,
    damage: Damage,
  ): Loss | null {
    const watched = this.#watched(server)
    const loss = watched.disk.firstLoss(records)
    if (loss !== null && damage === 'wiped') watched.forgetful = true
    else if (loss !== null) {
      if (damage !== null && damage !== 'wiped' && damage.every((whole) => whole <= loss.batch)) return loss
      throw new Violation('durability', `server ${server} forgot ${loss.what}, and noticed nothing`)
    }
    watched.disk = new DurableLog()
    this.durable(server, records, batch - 1)
    return null
  }

  /** A message leaves a server for another one. */
  sent(from: ServerId, to: ServerId, message: Message): void {
    if (isTelling(message)) this.#tells(from, to, message)
    if (message.type === 'p2a') this.#proposes(from, message)
    else if (message.type === 'p1a') this.#leads(from, message.ballot)
    else if (message.type === 'p1b') this.#promises(from, message)
    else if (message.type === 'p2b') this.#votes(from, message)
  }

  /** A server executes an operation; `outcome` as {@link observedService} tells it. */
  executed(server: ServerId, slot: Slot, clientId: string, op: unknown, outcome: Uint8Array): void {
    this.#reference.compare(server, this.#watched(server).executed++, slot, clientId, op, outcome)
  }

  /** A server answers a client. */
  replied(server: ServerId, reply: Reply): void {
    this.#reference.answered(server, reply)
  }

  #watched(server: ServerId): Watched {
    const watched = this.#servers[server]
    if (watched === undefined) throw new RangeError(`no server ${server}`)
    return watched
  }

  #hold(server: ServerId, record: StoredRecord): void {
    if (record.type === 'accept') {
      const { ballot, first, commands } = record.run
      let chosen = false
      commands.forEach((command, index) => {
        chosen = this.#pvalues.hold(server, ballot, first + index, command) || chosen
      })
      if (chosen) this.#execute()
    } else if (record.type === 'learn') {
      record.commands.forEach((command, index) => this.#checkChosen(server, record.first + index, command))
    } else if (record.type === 'decide') {
      this.#checkDecided(server, record.decided)
    }
  }

  /** Executes what is chosen, as far as there is no hole. */
  #execute(): void {
    for (;;) {
      const command = this.#pvalues.chosen(this.#reference.next)
      if (command === undefined) return
      this.#reference.advance(command)
    }
  }

  #checkChosen(server: ServerId, slot: Slot, command: Command): void {
    const chosen = this.#pvalues.chosen(slot)
    if (chosen === undefined || !sameCommand(chosen, command))
      throw new Violation('R1', `server ${server} holds another command as decided in slot ${slot} than the chosen one`)
  }

  /** R2: all slots below are decided. */
  #checkDecided(server: ServerId, decided: Slot): void {
    if (decided <= this.#reference.next) return
    throw new Violation(
      'R2',
      `server ${server} says that slot ${this.#reference.next} is decided, which is not durable on a majority`,
    )
  }

  #tells(from: ServerId, to: ServerId, { type, decided }: Telling): void {
    this.#checkDecided(from, decided)
    const { told } = this.#watched(from)
    const before = told[to] ?? 1
    if (decided < before)
      throw new Violation('R4', `server ${from} tells slotOut ${decided} in a ${type}, after ${before}`)
    told[to] = decided
  }

  /** A ballot is led by one life of one server. */
  #leads(server: ServerId, ballot: Ballot): void {
    const { life } = this.#watched(server)
    const key = `${ballot.round}.${ballot.server}.${ballot.start}`
    const known = this.#leaders.get(key)
    if (known === undefined) this.#leaders.set(key, life)
    if (ballot.server !== server || (known ?? life) !== life)
      throw new Violation('one leader', `server ${server}, in life ${life}, uses ballot ${showBallot(ballot)} of another`)
  }

  #proposes(from: ServerId, { run, decided }: P2a): void {
    this.#leads(from, run.ballot)
    if (lastSlot(run) >= decided + this.#window)
      throw new Violation('R5', `server ${from} proposes for slot ${lastSlot(run)} with slotOut ${decided}`)
    run.commands.forEach((command, index) => this.#pvalues.propose(run.ballot, run.first + index, command))
  }

  #votes(from: ServerId, { ballot, first, last }: P2b): void {
    this.#answers(from, ballot)
    for (let slot = first; slot <= last; slot++) {
      if (!this.#pvalues.holds(from, ballot, slot))
        throw new Violation(
          'durability',
          `server ${from} votes for slot ${slot} at ${showBallot(ballot)} before that is durable`,
        )
    }
  }

  #promises(from: ServerId, message: P1b): void {
    this.#answers(from, message.ballot)
    for (const run of message.accepted) this.#checkAccepted(from, run)
    // A3: it tells all that it accepted before it promised, but for what it has left to the replica beside it.
    const end = message.next ?? this.#pvalues.end
    for (let slot = Math.max(message.from, message.decided); slot < end; slot++) {
      const told = message.accepted.find((run) => run.first <= slot && slot <= lastSlot(run))
      for (const { ballot, holders } of this.#pvalues.of(slot)) {
        const held = (holders & (1 << from)) !== 0 && compareBallots(ballot, message.ballot) < 0
        if (held && (told === undefined || compareBallots(told.ballot, ballot) < 0))
          throw new Violation(
            'A3',
            `server ${from} accepted at ${showBallot(ballot)} in slot ${slot}, and does not tell it in its p1b`,
          )
      }
    }
  }

  #checkAccepted(from: ServerId, run: Run): void {
    run.commands.forEach((command, index) => {
      const slot = run.first + index
      this.#pvalues.propose(run.ballot, slot, command)
      if (!this.#pvalues.holds(from, run.ballot, slot))
        throw new Violation('durability', `server ${from} tells of slot ${slot} in its p1b before that is durable`)
    })
  }

  /** An acceptor answers: what it says must be durable, and no less than what it said in a former life. */
  #answers(server: ServerId, ballot: Ballot): void {
    const { disk, forgetful, answered, answeredBefore } = this.#watched(server)
    if (forgetful) throw new Violation('durability', `server ${server} votes, though its directory was wiped`)
    if (compareBallots(ballot, disk.promised) > 0)
      throw new Violation(
        'durability',
        `server ${server} answers with ballot ${showBallot(ballot)} before it is durable`,
      )
    if (compareBallots(ballot, answeredBefore) < 0)
      throw new Violation(
        'A1',
        `server ${server} answers with ballot ${showBallot(ballot)} after a restart, and with ${showBallot(answeredBefore)} before it`,
      )
    if (compareBallots(ballot, answered) > 0) this.#watched(server).answered = ballot
  }
}

function isTelling(message: Message): message is Telling {
  return (TELLS as readonly string[]).includes(message.type)
}
