/**
 * Watches all servers of a simulation at once, and knows what none of them can know: which command is chosen for a slot,
 * and what comes of it. It trusts no server's word: what is chosen follows from what has become durable on the simulated
 * disks. Every method throws {@link Violation} when a rule is broken; docs/TESTING.md lists the rules.
 */
import type { Ballot, ServerId } from '@synod/paxos/internal/protocol/ballot'
import { compareBallots, showBallot } from '@synod/paxos/internal/protocol/ballot'
import type { Command, Reply, Slot } from '@synod/paxos/internal/protocol/command'
import { lastSlot, sameCommand } from '@synod/paxos/internal/protocol/command'
import type { Message, P2a } from '@synod/paxos/internal/protocol/message'
import type { AuditMark } from '@synod/paxos/internal/protocol/audit'
import type { FeedFrame } from '@synod/paxos/internal/client/feeds'
import type { SnapshotChunk } from '@synod/paxos/internal/storage/snapshots'
import type { StoredRecord } from '@synod/paxos/internal/storage/storage'
import type { AnyService } from '../subject/subject.js'
import type { Damage } from './acceptor-watch.js'
import { AcceptorWatch } from './acceptor-watch.js'
import type { Loss } from './durable-log.js'
import { differs, imageOf } from './image.js'
import { Promises } from './promises.js'
import { Pvalues } from './pvalues.js'
import { ReadWatch } from './read-watch.js'
import { Reference } from './reference.js'
import { ReplicaWatch } from './replica-watch.js'
import { Violation } from './violation.js'

/** What is known of one server. */
interface Watched {
  readonly acceptor: AcceptorWatch
  /** Counts its processes. */
  process: number
  /** Of its present process. */
  replica: ReplicaWatch
  /** By receiver: the slotOut that this process told last. */
  told: Slot[]
}

/** Messages that leave at once, with the sender's slotOut of that moment; promises and votes wait for the disk. */
type Telling = Extract<Message, { type: 'p2a' | 'decision' | 'heartbeat' | 'heartbeatReply' | 'decided' | 'compacted' }>

export class Checker {
  readonly #window: number
  readonly #servers: readonly Watched[]
  readonly #pvalues: Pvalues
  readonly #promises: Promises
  readonly #reference: Reference
  readonly #reads: ReadWatch
  /** By slot: the chain's hash after it, as anybody told it. */
  readonly #hashes = new Map<Slot, string>()
  /** The last slot whose events each feed was sent. */
  readonly #feeds = new Map<string, Slot>()
  /** By ballot: the process of its server that leads it. */
  readonly #leaders = new Map<string, number>()

  /** @param window no slot is proposed at or above slotOut + window (R5) */
  constructor(servers: number, service: AnyService, window: number) {
    this.#window = window
    const pvalues = new Pvalues(servers)
    const promises = new Promises(servers)
    const reference = new Reference(service)
    this.#pvalues = pvalues
    this.#promises = promises
    this.#reference = reference
    this.#reads = new ReadWatch(reference)
    this.#servers = Array.from({ length: servers }, (_, server) => {
      const acceptor = new AcceptorWatch(server, pvalues, promises)
      return { acceptor, process: 0, replica: new ReplicaWatch(server, reference), told: [] }
    })
  }

  /** How many slots have a chosen command. */
  get chosen(): number {
    return this.#pvalues.chosenCount
  }

  /** A new process of a server begins: its state is empty. */
  started(server: ServerId): void {
    const watched = this.#watched(server)
    watched.acceptor.started()
    watched.process++
    watched.replica = new ReplicaWatch(server, this.#reference)
    watched.told = []
  }

  /** Whether a server has all that it ever promised, or was repaired since it lost it. */
  remembers(server: ServerId): boolean {
    return this.#watched(server).acceptor.remembers
  }

  /** A server's log at or below this slot may be gone. */
  collected(server: ServerId): Slot {
    return this.#watched(server).acceptor.collected
  }

  /** These records of the server have become durable, in this batch. */
  durable(server: ServerId, records: readonly StoredRecord[], batch: number): void {
    if (this.#watched(server).acceptor.durable(records, batch)) this.#execute()
    for (const record of records) {
      if (record.type === 'decide' || record.type === 'base') this.#checkDecided(server, record.decided)
      if (record.type === 'base') this.#checkDecided(server, record.collected + 1)
      if (record.type === 'learn') this.#checkChosen(server, record.first, record.commands)
    }
  }

  /** A server has a durable snapshot through this slot. */
  snapshotted(server: ServerId, slot: Slot): void {
    this.#watched(server).acceptor.snapshotted(slot)
  }

  /** A server has made a snapshot: it must hold what comes of all decisions through its slot, and nothing else. */
  snapshot(server: ServerId, slot: Slot, chunks: readonly SnapshotChunk[]): void {
    const wrong = (what: string): Violation =>
      new Violation('snapshot', `in the snapshot of server ${server} through slot ${slot}, ${what}`)
    const { head, image } = imageOf(chunks)
    this.#checkDecided(server, slot + 1)
    if (head.slot !== slot) throw wrong(`the head says slot ${head.slot}`)
    if (head.servers !== this.#servers.length) throw wrong(`the head says ${head.servers} servers`)
    const chosenAt = this.#pvalues.chosenAt(slot)
    if (chosenAt !== undefined && compareBallots(head.ballot, chosenAt) < 0)
      throw wrong(
        `the ballot ${showBallot(head.ballot)} is below ${showBallot(chosenAt)}, at which some of it was chosen`,
      )
    const part = differs(image, this.#reference.image(slot))
    if (part !== null) throw wrong(`${part} is not what it should be`)
  }

  /** A server has a new, empty state. */
  made(server: ServerId): void {
    this.#watched(server).replica.made()
  }

  /** A server has read a snapshot to its end, into its state. */
  installs(server: ServerId, slot: Slot): void {
    this.#watched(server).replica.read(slot)
  }

  /** A server's state, in which there is this, is about to execute for the first time. */
  begins(server: ServerId, entries: readonly unknown[]): void {
    this.#watched(server).replica.begins(entries)
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
    const { acceptor } = this.#watched(from)
    switch (message.type) {
      case 'p1a':
        return this.#leads(from, message.ballot)
      case 'p1b':
        this.#checkDecided(from, Math.max(message.decided, message.collected + 1))
        return acceptor.promises(message)
      case 'p2b':
        this.#checkDecided(from, message.decided)
        return acceptor.votes(message)
      case 'revived':
        this.#checkDecided(from, message.decided)
        return acceptor.revives(to, message)
      case 'tellLife':
        return acceptor.tellsLife(to, message)
      case 'p2a':
        this.#proposes(from, message)
        return this.#tells(from, to, message)
      case 'heartbeat':
      case 'heartbeatReply':
        this.#marks(from, message.audit)
        return this.#tells(from, to, message)
      case 'decided':
        this.#tells(from, to, message)
        return this.#checkChosen(from, message.first, message.commands)
      case 'decision':
      case 'compacted':
        return this.#tells(from, to, message)
      default:
        return
    }
  }

  /** A server executes an operation; `outcome` as {@link observedService} tells it. */
  executed(server: ServerId, slot: Slot, clientId: string, op: unknown, outcome: Uint8Array): void {
    this.#watched(server).replica.executed(slot, clientId, op, outcome)
  }

  /** A server reads from its state without the log, after this slot; `outcome` as {@link observedService} tells it. */
  read(server: ServerId, slot: Slot, op: unknown, outcome: Uint8Array, changed: boolean): void {
    if (changed) throw new Violation('reads', `server ${server} has changed its state by reading ${JSON.stringify(op)}`)
    this.#reads.read(server, slot, op, outcome)
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

  /** A server holds, or tells, these commands as decided, in a row from slot `first` on. */
  #checkChosen(server: ServerId, first: Slot, commands: readonly Command[]): void {
    for (const [index, command] of commands.entries()) {
      const chosen = this.#pvalues.chosen(first + index)
      if (chosen !== undefined && sameCommand(chosen, command)) continue
      const what = `another command as decided in slot ${first + index} than the chosen one`
      throw new Violation('R1', `server ${server} holds ${what}`)
    }
  }

  /** Of each slot, all servers have one hash of what was decided up to it. */
  #marks(server: ServerId, { slot, hash }: AuditMark): void {
    const known = this.#hashes.get(slot) ?? hash
    this.#hashes.set(slot, known)
    if (known !== hash)
      throw new Violation('chain', `server ${server} has another history up to slot ${slot} than others`)
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
    if (!this.#promises.isAdopted(run.ballot))
      throw new Violation(
        'adopted',
        `server ${from} proposes at ${showBallot(run.ballot)}, which no majority has adopted by answers that go together`,
      )
    if (lastSlot(run) >= decided + this.#window)
      throw new Violation('R5', `server ${from} proposes for slot ${lastSlot(run)} with slotOut ${decided}`)
    for (const [index, command] of run.commands.entries()) this.#pvalues.propose(run.ballot, run.first + index, command)
  }

  /** A ballot is led by one process of one server. */
  #leads(server: ServerId, ballot: Ballot): void {
    const { process } = this.#watched(server)
    const key = `${ballot.round}.${ballot.server}.${ballot.start}`
    const known = this.#leaders.get(key) ?? process
    this.#leaders.set(key, known)
    if (ballot.server !== server || known !== process)
      throw new Violation(
        'one leader',
        `server ${server} uses ballot ${showBallot(ballot)}, which is not of its process`,
      )
  }
}
