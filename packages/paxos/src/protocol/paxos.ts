/** The five roles of one server, and the way of each message to its role. Pure: see ready.ts for the contract with the host. */
import type { AuditMark } from './audit.js'
import { Auditor } from './auditor.js'
import type { Ballot, ServerId } from './ballot.js'
import { compareBallots, higher } from './ballot.js'
import type { Command, Slot } from './command.js'
import type { Config } from './config.js'
import type { EventRing } from './event-ring.js'
import { Leadership } from './leadership.js'
import { Leases } from './leases.js'
import type { Heartbeat, Message, P1a, P2a, Prescout } from './message.js'
import { Outbox } from './outbox.js'
import type { Input, LogRecord, PaxosStatus, Ready } from './ready.js'
import { Reads } from './reads.js'
import { Replica } from './replica.js'
import type { CoreSnapshot } from './snapshot.js'
import type { StateMachine } from './state.js'
import { Voter } from './voter.js'

export class Paxos {
  readonly #config: Config
  readonly #others: readonly ServerId[]
  readonly #out: Outbox
  readonly #voter: Voter
  readonly #replica: Replica
  readonly #leadership: Leadership
  readonly #reads: Reads
  readonly #leases: Leases
  readonly #auditor: Auditor
  #now = 0
  #begun = false
  /** The replica's slotOut when it was looked at last. */
  #reached: Slot = 1
  #loggedAt = 0

  constructor(config: Config, machine: StateMachine) {
    this.#config = config
    this.#others = config.configuration.servers.filter((server) => server !== config.id)
    this.#out = new Outbox(config.id)
    const leases = new Leases(config.timing.sessionTtl)
    this.#leases = leases
    this.#replica = new Replica(config.id, config.limits, machine, {
      opened: (clientId) => {
        leases.opened(clientId)
      },
      ended: (clientId) => {
        leases.ended(clientId)
      },
    })
    this.#reads = new Reads(config.start)
    const voter = new Voter(config, this.#out, this.#replica)
    this.#voter = voter
    this.#auditor = new Auditor(config, this.#replica.chain)
    this.#leadership = new Leadership(config, this.#out, leases, this.#replica, () => voter.ballot)
  }

  /** Recovery: one record of a former life, in the order of the log, before the first step. */
  restore(record: LogRecord): void {
    this.#voter.restore(record)
    this.#restore(record)
    this.#voter.forget(this.#replica.slotOut)
  }

  /** Recovery, before any record: a snapshot was durable through this slot, be it lost or not. */
  restoreCollected(through: Slot): void {
    this.#replica.restoreCollected(through)
  }

  /** The snapshot is lost behind which the log goes on: the state has to come from another server. */
  get lacksState(): boolean {
    return this.#replica.lacksState
  }

  /** Others are too far ahead to tell this server what it lacks: it needs a snapshot, or is about to install one. */
  get outpaced(): boolean {
    return this.#replica.isOutpaced(this.#now, 2 * this.#config.timing.election)
  }

  /** Recovery: the replica's part of a record. */
  #restore(record: LogRecord): void {
    switch (record.type) {
      case 'learn':
        return this.#replica.restoreLearned(record.ballot, record.first, record.commands, this.#out)
      case 'decide':
        return this.#replica.restoreDecided(record.ballot, record.decided, this.#acceptedAt, this.#out)
      case 'base':
        return this.#replica.hear(record.decidedBallot, record.decided, this.#config.id)
      default:
        return
    }
  }

  /** This server as it is now, to be kept in a snapshot: what it executed, but for the state machine's part. */
  capture(): CoreSnapshot {
    return this.#replica.capture(this.#config.configuration.servers.length)
  }

  /** The state machine is being replaced: nothing is executed until {@link install}. */
  suspend(): void {
    this.#replica.suspend()
  }

  /** The state machine holds what a snapshot holds, which is durable here: so does everything else from now on. */
  install(snapshot: CoreSnapshot): void {
    this.#replica.install(snapshot, this.#out)
    this.#leases.begin(this.#replica.clientIds)
    this.#voter.forget(this.#replica.slotOut)
  }

  /** Whether this server has lost its votes, and does not vote yet. */
  get repairing(): boolean {
    return this.#voter.repairing
  }

  /** How often a server was repaired, as far as it is known here. */
  lifeOf(server: ServerId): number {
    return this.#voter.lifeOf(server)
  }

  /** Whether something that is decided waits for `goOn` to be executed. */
  get isBehind(): boolean {
    return this.#replica.isBehind
  }

  /** What this server knows of its chain: ends of blocks, the oldest first, and the chain's own end. */
  get chain(): readonly AuditMark[] {
    return this.#replica.chain.marks
  }

  /** How many of its clients' commands this server would take in now: others are answered `busy`. */
  get room(): number {
    return this.#replica.requests.room
  }

  /** The last slot that was executed. */
  get applied(): Slot {
    return this.#replica.slotOut - 1
  }

  /** Takes in one thing that happened. */
  step(input: Input): void {
    if (input.now < this.#now) this.#leadership.clockWentBack()
    this.#now = Math.max(this.#now, input.now)
    if (!this.#begun) {
      this.#begun = true
      this.#voter.begin(this.#now)
      this.#leadership.begin(this.#now)
    }
    this.#take(input)
    this.#settle()
  }

  /** Hands out all that has to happen now, and forgets it. */
  ready(): Ready {
    const { told } = this.#leadership
    this.#askIndex()
    if (this.#leadership.active) this.#leadership.propose(this.#now)
    else this.#forward()
    this.#settle()
    this.#leadership.tellRest(told)
    this.#leadership.confirm(this.#now)
    if (this.#out.hasRecords) this.#logDecisions()
    return this.#out.drain(this.#reads.readable)
  }

  status(): PaxosStatus {
    return {
      role: this.#leadership.role,
      leader: this.#leadership.known,
      ballot: this.#voter.ballot,
      applied: this.applied,
      decided: this.#replica.known,
      sessions: this.#replica.sessions,
      executed: this.#replica.executed,
      collected: this.#voter.collected,
      life: this.#voter.lifeOf(this.#config.id),
      repairing: this.repairing,
      audit: this.#replica.chain.block,
      reached: this.#leadership.reached(),
      indexes: this.#leadership.indexes,
      handingOverTo: this.#leadership.handingOverTo,
      clocksMistrusted: this.#leadership.clocksMistrusted,
    }
  }

  /** The latest events of the state: the same on every server that has executed as much. */
  get events(): Pick<EventRing, 'oldest' | 'emitted' | 'read'> {
    return this.#replica.events
  }

  #take(input: Input): void {
    switch (input.type) {
      case 'message':
        return this.#receive(input.from, input.message)
      case 'submit':
        return this.#replica.submit(input.commands, this.#out)
      case 'read':
        return this.#reads.arrived(input.count)
      case 'tick':
        return this.#tick()
      case 'goOn':
        return this.#replica.goOn(this.#acceptedAt, this.#out)
      case 'alive':
        return this.#alive(input.clientIds)
      case 'snapshot':
        return this.#voter.snapshotted(input.slot)
      case 'unreachable':
        return this.#leadership.unreachable(input.server, this.#now)
      case 'handOver':
        return this.#leadership.handOver(input.to, this.#now)
      case 'stop':
        this.#leadership.stop(this.#now)
    }
  }

  #receive(from: ServerId, message: Message): void {
    switch (message.type) {
      case 'p1a':
        return this.#p1a(from, message)
      case 'p1b':
        return this.#leadership.p1b(from, message)
      case 'p2a':
        return this.#p2a(from, message)
      case 'p2b':
        return this.#leadership.p2b(from, message, this.#now)
      case 'preempt':
        return this.#leadership.see(message.ballot, this.#now)
      case 'decision':
        return this.#replica.hear(message.ballot, message.decided, from)
      case 'heartbeat':
        return this.#heartbeat(from, message)
      case 'heartbeatReply':
        this.#auditor.compare(from, message.audit, this.#now, this.#out)
        this.#replica.reached(from, message.decided)
        return this.#leadership.heartbeatReply(from, message, this.#now)
      case 'grant':
        return this.#leadership.grant(from, message, this.#now)
      case 'askIndex':
        return this.#leadership.askIndex(from, message, this.#replica.known, this.#now)
      case 'tellIndex':
        return this.#reads.told(message)
      case 'prescout':
        return this.#prescout(from, message)
      case 'prescoutReply':
        return this.#leadership.prescoutReply(from, message, this.#now)
      case 'stepDown':
        this.#voter.release(message.ballot)
        return this.#leadership.steppedDown(message, this.#mayStand, this.#now)
      case 'forward':
        if (this.#leadership.leading) this.#replica.requests.forwarded(message.commands)
        return
      case 'alive':
        if (this.#leadership.leading) for (const clientId of message.clientIds) this.#leases.heard(clientId)
        return
      case 'catchUp':
        return this.#replica.catchUp(from, message, this.#now, this.#out)
      case 'decided':
        return this.#replica.decided(from, message, this.#now, this.#out)
      case 'compacted':
        return this.#replica.compacted(from, message, this.#now, this.#out)
      case 'fetch':
        return this.#replica.fetching(from, message, this.#now)
      case 'piece':
        return // the host's business
      case 'askLife':
        return this.#voter.askLife(from)
      case 'tellLife':
        return this.#voter.tellLife(from, message)
      case 'revive':
        return this.#voter.revive(from, message)
      case 'revived':
        return this.#voter.revived(from, message)
      case 'askAudit':
        return this.#auditor.ask(from, message, this.#out)
      case 'tellAudit':
        return this.#auditor.tell(from, message)
    }
  }

  #p1a(from: ServerId, message: P1a): void {
    if (this.#voter.p1a(from, message, this.#now) && from !== this.#config.id) this.#leadership.postpone(this.#now)
  }

  #p2a(from: ServerId, message: P2a): void {
    const { run } = message
    this.#replica.assertSame(run)
    this.#voter.p2a(from, message)
    this.#replica.hear(run.ballot, message.decided, from)
    if (from !== this.#config.id) this.#leadership.heard(run.ballot, this.#now)
  }

  #heartbeat(from: ServerId, message: Heartbeat): void {
    this.#leadership.heard(message.ballot, this.#now)
    this.#replica.hear(message.ballot, message.decided, from)
    this.#auditor.compare(from, message.audit, this.#now, this.#out)
    if (this.repairing) return // who does not vote keeps no leader in office
    if (compareBallots(message.ballot, this.#voter.ballot) < 0)
      return this.#out.send([from], { type: 'preempt', ballot: this.#voter.ballot })
    this.#advance() // a leader that hands over waits to hear that its successor has executed all
    const { ballot, sequence, lease } = message
    const { chain, slotOut } = this.#replica
    this.#out.send([from], { type: 'heartbeatReply', ballot, sequence, decided: slotOut, audit: chain.block })
    if (lease === 0) return
    this.#voter.grant(message, this.#now)
    this.#out.sendAfterSync(from, { type: 'grant', ballot, sequence, clock: Math.floor(this.#now) })
  }

  #prescout(from: ServerId, message: Prescout): void {
    if (this.repairing) return
    const granted = this.#leadership.wouldFollow(from, this.#now) && !this.#voter.refuses(from, this.#now)
    const ballot = higher(this.#voter.ballot, this.#leadership.ballot)
    this.#out.send([from], { type: 'prescoutReply', attempt: message.attempt, granted, ballot })
    this.#out.send([from], { type: 'decision', ballot: this.#replica.decision.ballot, decided: this.#replica.slotOut })
  }

  /** The leader is to hear of connected clients. If none is known: the next one begins with all sessions' full time. */
  #alive(clientIds: readonly string[]): void {
    const leader = this.#leadership.known
    if (leader !== null) this.#out.send([leader], { type: 'alive', clientIds })
  }

  #tick(): void {
    const { timing } = this.#config
    this.#leases.advance(this.#now)
    this.#replica.tick(this.#now)
    this.#auditor.tick(this.#now, this.#out)
    this.#voter.tick(this.#now)
    if (!this.#leadership.active && !this.outpaced) this.#replica.requests.resend(this.#now, timing.resend * 4)
    this.#leadership.tick(this.#now, this.#mayStand)
    if (this.#now - this.#loggedAt >= 10 * timing.heartbeat) this.#logDecisions()
  }

  /** Whether it may try to lead: unless it must not vote, or others are so far ahead that one of them had better. */
  get #mayStand(): boolean {
    return !this.repairing && !this.outpaced && !this.#voter.refuses(this.#config.id, this.#now)
  }

  /** Of reads that have arrived. Who does not vote cannot vote for them, either. */
  #askIndex(): void {
    if (this.repairing) return
    this.#reads.ask(this.#leadership.known, this.#voter.ballot, this.#now, this.#config.timing.resend, this.#out)
  }

  #forward(): void {
    const leader = this.#leadership.known
    if (leader === null || leader === this.#config.id) return
    while (this.#replica.requests.queued > 0) {
      const commands = this.#replica.requests.take(this.#config.limits.runCommands, this.#now)
      this.#out.send([leader], { type: 'forward', commands })
    }
  }

  /** Handles this server's messages to itself, executes what is decided, and lets the leader begin when it may. */
  #settle(): void {
    for (;;) {
      this.#leadership.see(higher(this.#voter.ballot, this.#replica.decision.ballot), this.#now)
      this.#advance()
      const message = this.#out.takeLocal()
      if (message === undefined) break
      this.#receive(this.#config.id, message)
    }
    if (this.#voter.finishRepair()) this.#leadership.postpone(this.#now)
    if (!this.#replica.isSuspended) this.#reads.reached(this.#replica.slotOut - 1)
    this.#replica.seek(this.#others, this.#now, this.#config.timing.resend, this.#out)
    this.#leadership.activate(this.#now)
  }

  #logDecisions(): void {
    this.#loggedAt = this.#now
    this.#replica.logDecisions(this.#out)
  }

  readonly #acceptedAt = (slot: Slot, ballot: Ballot): Command | undefined => this.#voter.acceptedAt(slot, ballot)

  #advance(): void {
    this.#replica.advance(this.#acceptedAt, this.#out)
    if (this.#replica.slotOut === this.#reached) return
    this.#reached = this.#replica.slotOut
    this.#voter.forget(this.#reached)
    this.#leadership.progressed(this.#now)
  }
}
