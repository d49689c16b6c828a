/**
 * Watches all servers of a simulation at once, and knows what none of them can know: which command is chosen for a slot,
 * and what comes of it. It trusts no server's word: what is chosen follows from what has become durable on the simulated
 * disks. Every method throws {@link Violation} when a rule is broken; docs/TESTING.md lists the rules.
 */
import type { Ballot, ServerId } from '@synod/paxos/internal/protocol/ballot'
import { showBallot } from '@synod/paxos/internal/protocol/ballot'
import type { Command, Reply, Slot } from '@synod/paxos/internal/protocol/command'
import { lastSlot, sameCommand } from '@synod/paxos/internal/protocol/command'
import type { Message, P2a } from '@synod/paxos/internal/protocol/message'
import type { FeedFrame } from '@synod/paxos/internal/client/feeds'
import type { StoredRecord } from '@synod/paxos/internal/storage/storage'
import type { AnyService } from '../subject/subject.js'
import type { Damage } from './acceptor-watch.js'
import { AcceptorWatch } from './acceptor-watch.js'
import type { Loss } from './durable-log.js'
import { Pvalues } from './pvalues.js'
import { Reference } from './reference.js'
import { Violation } from './violation.js'

/** What is known of one server. */
interface Watched {
  readonly acceptor: AcceptorWatch
  /** Counts its lives. */
  life: number
  /** How many operations its present life has executed. */
  executed: number
  /** By receiver: the slotOut that this life told last. */
  told: Slot[]
}

/** Messages that leave at once, with the sender's slotOut of that moment; promises and votes wait for the disk. */
type Telling = Extract<Message, { type: 'p2a' | 'decision' | 'heartbeat' | 'heartbeatReply' | 'decided' }>

export class Checker {
  readonly #window: number
  readonly #servers: readonly Watched[]
  readonly #pvalues: Pvalues
  readonly #reference: Reference
  /** The last slot whose events each feed was sent. */
  readonly #feeds = new Map<string, Slot>()
  /** By ballot: the life of its server that leads it. */
  readonly #leaders = new Map<string, number>()

  /** @param window no slot is proposed at or above slotOut + window (R5) */
  constructor(servers: number, service: AnyService, window: number) {
    this.#window = window
    const pvalues = new Pvalues(servers)
    this.#pvalues = pvalues
    this.#reference = new Reference(service)
    this.#servers = Array.from({ length: servers }, (_, server) => {
      return { acceptor: new AcceptorWatch(server, pvalues), life: 0, executed: 0, told: [] }
    })
  }

  /** How many slots have a chosen command. */
  get chosen(): number {
    return this.#pvalues.chosenCount
  }

  /** A new life of a server begins: its state is empty. */
  started(server: ServerId): void {
    const watched = this.#watched(server)
    watched.acceptor.started()
    watched.life++
    watched.executed = 0
    watched.told = []
  }

  /** These records of the server have become durable, in this batch. */
  durable(server: ServerId, records: readonly StoredRecord[], batch: number): void {
    const { acceptor } = this.#watched(server)
    for (const record of records) {
      if (acceptor.durable(record, batch)) this.#execute()
      if (record.type === 'decide') this.#checkDecided(server, record.decided)
      if (record.type !== 'learn') continue
      for (const [index, command] of record.commands.entries()) this.#checkChosen(server, record.first + index, command)
    }
  }

  /**
   * What a server found on its disk at a start: nothing that was durable may be missing.
   *
   * @param batch the number of the seal that the start wrote behind it
   * @returns null if all is there; otherwise what is missing, where no single server could have known: nothing whole stood
   *   behind it, so it looked like a write that was torn off. The server must not go on.
   */
  recovered(server: ServerId, records: readonly StoredRecord[], batch: number, damage: Damage): Loss | null {
    const loss = this.#watched(server).acceptor.recovered(records, damage)
    if (loss === null) this.durable(server, records, batch - 1)
    return loss
  }

  /** A message leaves a server for another one. */
  sent(from: ServerId, to: ServerId, message: Message): void {
    switch (message.type) {
      case 'p1a':
        return this.#leads(from, message.ballot)
      case 'p1b':
        return this.#watched(from).acceptor.promises(message)
      case 'p2b':
        return this.#watched(from).acceptor.votes(message)
      case 'p2a':
        this.#proposes(from, message)
        return this.#tells(from, to, message)
      case 'decision':
      case 'heartbeat':
      case 'heartbeatReply':
      case 'decided':
        return this.#tells(from, to, message)
      default:
        return
    }
  }

  /** A server executes an operation; `outcome` as {@link observedService} tells it. */
  executed(server: ServerId, slot: Slot, clientId: string, op: unknown, outcome: Uint8Array): void {
    this.#reference.compare(server, this.#watched(server).executed++, slot, clientId, op, outcome)
  }

  /** A server answers a client. */
  replied(server: ServerId, reply: Reply): void {
    this.#reference.answered(server, reply)
  }

  /** A server sends a client what a feed is about; `feed` names it among all feeds of all connections. */
  fed(server: ServerId, feed: string, frame: FeedFrame): void {
    if (frame.type === 'subscribed') this.#feeds.set(feed, frame.from - 1)
    if (frame.type !== 'events') return
    this.#reference.told(server, this.#feeds.get(feed) ?? 0, frame.slots)
    this.#feeds.set(feed, frame.slots.at(-1)?.slot ?? 0)
  }

  #watched(server: ServerId): Watched {
    const watched = this.#servers[server]
    if (watched === undefined) throw new RangeError(`no server ${server}`)
    return watched
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

  #proposes(from: ServerId, { run, decided }: P2a): void {
    this.#leads(from, run.ballot)
    if (lastSlot(run) >= decided + this.#window)
      throw new Violation('R5', `server ${from} proposes for slot ${lastSlot(run)} with slotOut ${decided}`)
    for (const [index, command] of run.commands.entries()) this.#pvalues.propose(run.ballot, run.first + index, command)
  }

  /** A ballot is led by one life of one server. */
  #leads(server: ServerId, ballot: Ballot): void {
    const { life } = this.#watched(server)
    const key = `${ballot.round}.${ballot.server}.${ballot.start}`
    const known = this.#leaders.get(key) ?? life
    this.#leaders.set(key, known)
    if (ballot.server !== server || known !== life)
      throw new Violation('one leader', `server ${server} uses ballot ${showBallot(ballot)}, which is not of its life`)
  }
}
