/**
 * How one server leads, and comes to: when it stands for election, its scout, its commanders, and what a leader does as
 * time goes by. (The paper's leader, section 2.2, with the failure detection of section 3.)
 */
import type { AuditMark } from './audit.js'
import { assert } from './assert.js'
import type { Ballot, ServerId } from './ballot.js'
import { BOTTOM, compareBallots, higher, sameBallot, showBallot } from './ballot.js'
import type { Command, Slot } from './command.js'
import { lastSlot } from './command.js'
import { Commander } from './commander.js'
import type { Config, Configuration } from './config.js'
import { Election } from './election.js'
import { LeaderLease } from './leader-lease.js'
import { Leader } from './leader.js'
import type { Leases } from './leases.js'
import type { AskIndex, Grant, HeartbeatReply, P1b, P2b, PrescoutReply, StepDown } from './message.js'
import type { Outbox } from './outbox.js'
import { Prng } from './prng.js'
import { ReadIndex } from './read-index.js'
import type { IndexesNamed } from './read-index.js'
import type { PaxosStatus } from './ready.js'
import type { Requests } from './requests.js'
import { Scout } from './scout.js'

/** What it needs of the replica beside it. */
export interface Beside {
  readonly slotOut: Slot
  readonly decision: { readonly ballot: Ballot; readonly decided: Slot }
  readonly clientIds: Iterable<string>
  readonly chain: { readonly block: AuditMark }
  hear(ballot: Ballot, decided: Slot, from: ServerId): void
  expect(decided: Slot, from: ServerId): void
  readonly requests: Pick<Requests, 'queued' | 'take' | 'forwarded' | 'reproposed' | 'requeue'>
}

/** A handing over that is under way. */
interface Handover {
  readonly to: ServerId
  readonly since: number
  /** The number of the heartbeat behind all that was proposed; null: not all of that is decided. */
  asked: number | null
  /** The successor's slotOut, as it answered to that one or a later one. */
  told: Slot
}

export class Leadership {
  readonly #config: Config
  readonly #others: readonly ServerId[]
  readonly #out: Outbox
  readonly #leases: Leases
  readonly #beside: Beside
  /** What the acceptor beside it has adopted. */
  readonly #adopted: () => Ballot
  readonly #leader: Leader
  readonly #election: Election
  readonly #readIndex: ReadIndex
  readonly #lease: LeaderLease
  #scout: Scout | undefined
  /** In slot order; the first one is of the first run that is not decided. */
  #commanders: Commander[] = []
  /** The highest ballot that any message named. */
  #highest: Ballot = BOTTOM
  #heartbeatAt = 0
  /** The leader has told the others of all decisions below this slot. */
  #told: Slot = 1
  /** It hands its leadership over, and proposes nothing more. */
  #handover: Handover | null = null
  /** The server is about to end. */
  #stops = false

  constructor(config: Config, out: Outbox, leases: Leases, beside: Beside, adopted: () => Ballot) {
    this.#config = config
    this.#others = config.configuration.servers.filter((server) => server !== config.id)
    this.#out = out
    this.#leases = leases
    this.#beside = beside
    this.#adopted = adopted
    this.#leader = new Leader(config)
    this.#readIndex = new ReadIndex(config)
    this.#lease = new LeaderLease(config)
    this.#election = new Election(config, new Prng(config.seed))
  }

  get role(): PaxosStatus['role'] {
    const { phase } = this.#leader
    if (phase === 'active') return 'leader'
    return phase !== 'passive' || this.#election.asking ? 'candidate' : 'follower'
  }

  /** The ballot that it leads, or tries to lead, or led last. */
  get ballot(): Ballot {
    return this.#leader.ballot
  }

  get active(): boolean {
    return this.#leader.phase === 'active'
  }

  /** Whether this server's leader has been adopted: others forward their clients' commands to it. */
  get leading(): boolean {
    return this.#leader.phase === 'catchingUp' || this.active
  }

  /** The server of the active leader, this one or another, as far as it is known. */
  get known(): ServerId | null {
    return this.#election.leader?.server ?? null
  }

  /** See {@link PaxosStatus.handingOverTo}. */
  get handingOverTo(): ServerId | null {
    return this.#handover?.to ?? null
  }

  /** See {@link PaxosStatus.indexes}. */
  get indexes(): IndexesNamed {
    return this.#readIndex.named
  }

  /** See {@link PaxosStatus.reached}. */
  reached(): (Slot | null)[] {
    return this.#leader.reached(this.#beside.slotOut - 1)
  }

  /** First thing. */
  begin(now: number): void {
    this.#election.begin(now)
  }

  /** Somebody leads, or is about to: this server waits. */
  postpone(now: number): void {
    this.#election.postpone(now)
  }

  /** The acceptor's replica has caught up a bit, which a leader that was just adopted waits for. */
  progressed(now: number): void {
    if (this.#leader.phase === 'catchingUp') this.#election.postpone(now)
  }

  wouldFollow(server: ServerId, now: number): boolean {
    return this.#election.wouldFollow(server, now)
  }

  /** A leader says that it leads no more, and perhaps who is to lead next. */
  steppedDown({ ballot, successor }: StepDown, mayStand: boolean, now: number): void {
    const { leader } = this.#election
    const isFollowed = leader !== null && sameBallot(leader, ballot)
    this.#election.lost(ballot, now)
    if (!isFollowed || successor === null) return // late, or a second copy: it must not begin a scout
    this.#election.postpone(now)
    if (successor === this.#config.id && mayStand && !this.#stops && this.#leader.phase === 'passive')
      this.#beginScout(now)
  }

  /** See the input of this name. */
  unreachable(server: ServerId, now: number): void {
    this.#election.unreachable(server, now)
  }

  /** A sign of life from the active leader of this ballot. */
  heard(ballot: Ballot, now: number): void {
    if (compareBallots(ballot, this.#adopted()) < 0) return // a deposed leader; our answer tells it so
    this.see(ballot, now)
    if (this.#election.heard(ballot, now)) this.#beside.requests.requeue()
  }

  /** Somebody's ballot: if it is above our leader's, that one leads no more. */
  see(ballot: Ballot, now: number): void {
    this.#highest = higher(this.#highest, ballot)
    if (!this.#leader.isPreemptedBy(ballot)) return
    this.#election.preempted(now)
    this.#retire(now)
  }

  /** See the input of this name. */
  handOver(to: ServerId | null, now: number): void {
    if (!this.active || this.#handover !== null) return
    const near = this.#leader.near(now, this.#election.patience).filter((server) => server !== this.#config.id)
    const successor = to === null ? near[0] : near.find((server) => server === to)
    if (successor !== undefined) this.#handover = { to: successor, since: now, asked: null, told: 0 }
  }

  /** See the input of this name. */
  stop(now: number): void {
    this.#stops = true
    this.handOver(null, now)
    if (this.#leader.phase !== 'passive' && this.#handover === null) this.#retire(now)
  }

  p1b(from: ServerId, message: P1b): void {
    const adopted = this.#scout?.p1b(from, message, this.#out)
    if (adopted === undefined) return
    this.#scout = undefined
    this.#leader.adopted(adopted)
    this.#beside.expect(adopted.decided, adopted.decidedBy)
  }

  p2b(from: ServerId, message: P2b, now: number): void {
    if (sameBallot(message.ballot, this.#leader.ballot)) this.#leader.heardFrom(from, message.decided, now)
    const commander = this.#commanders.find(({ run }) => run.first === message.first)
    if (commander?.p2b(from, message) !== true) return
    for (let first = this.#commanders[0]; first?.decided === true; first = this.#commanders[0]) {
      this.#commanders.shift()
      this.#beside.hear(first.run.ballot, lastSlot(first.run) + 1, this.#config.id)
    }
  }

  /** The server has adopted no ballot above the one that the heartbeat told. */
  heartbeatReply(from: ServerId, { ballot, sequence, decided }: HeartbeatReply, now: number): void {
    if (!this.active || !sameBallot(ballot, this.#leader.ballot)) return // of a former ballot of this server's
    this.#leader.heardFrom(from, decided, now)
    this.#readIndex.vote(from, sequence, this.#out)
    const handover = this.#handover
    if (from === handover?.to && handover.asked !== null && sequence >= handover.asked) handover.told = decided
  }

  /** An acceptor has granted the lease that the heartbeat asked for. */
  grant(from: ServerId, { ballot, sequence, clock }: Grant, now: number): void {
    if (this.active && sameBallot(ballot, this.#leader.ballot)) this.#lease.granted(from, sequence, clock, now)
  }

  /**
   * A server asks for the index of its clients' reads.
   *
   * @param known the last slot that is known as decided here: all that was decided at this leader's ballot
   */
  askIndex(from: ServerId, { ballot, sequence }: AskIndex, known: Slot, now: number): void {
    this.see(ballot, now)
    if (!this.active) return // it will ask whoever leads
    // What was chosen at lower ballots was decided, or among the proposals, when this leader was adopted.
    const index = Math.max(known, this.#leader.lastProposal)
    if (this.#lease.holds(now)) this.#readIndex.tell({ from, sequence, index }, this.#out)
    else this.#readIndex.ask({ from, sequence, index }, this.#out)
  }

  /** Leases rest on clocks that do not. */
  clockWentBack(): void {
    this.#lease.mistrust()
  }

  /** See {@link PaxosStatus.clocksMistrusted}. */
  get clocksMistrusted(): boolean {
    return this.#lease.mistrusted
  }

  /** Has its ballot confirmed for the reads that wait for that; and is heard in time, though a tick may be late. */
  confirm(now: number): void {
    if (!this.active) return
    if (this.#readIndex.isDue) this.#readIndex.begin(this.#beat(now))
    else if (now - this.#heartbeatAt >= this.#config.timing.heartbeat) this.#beat(now)
  }

  prescoutReply(from: ServerId, { ballot, granted, attempt }: PrescoutReply, now: number): void {
    this.#highest = higher(this.#highest, ballot)
    this.#election.answered(from, attempt, granted, now)
    if (this.#election.granted) this.#beginScout(now)
  }

  /** @param mayStand whether this server may try to lead, if nobody does */
  tick(now: number, mayStand: boolean): void {
    if (this.active) this.#lead(now)
    else if (mayStand && !this.#stops) {
      const attempt = this.#election.due(now)
      if (attempt !== undefined) this.#beginPrescout(attempt, now)
    }
    this.#scout?.tick(now, this.#out)
    const { resend } = this.#config.timing
    for (const commander of this.#commanders) commander.tick(now, resend, this.#tellable(), this.#out)
  }

  /** An active leader proposes what waits, and tells the others of decisions that no proposal tells. */
  propose(now: number): void {
    if (!this.active || this.#handover !== null) return
    const take = (most: number): readonly Command[] => this.#beside.requests.take(most, now)
    while (this.#commanders.length < this.#config.limits.runsInFlight) {
      const run = this.#leader.propose(this.#beside.slotOut, take)
      if (run === undefined) return
      this.#commanders.push(new Commander(run, this.#configurationOf(run.first), this.#tell(), now, this.#out))
    }
  }

  /** How far the others were told of decisions; see {@link tellRest}. */
  get told(): Slot {
    return this.#told
  }

  /** Tells the others of what is decided, unless a proposal did since they had been told as far as `told`. */
  tellRest(told: Slot): void {
    if (!this.active || this.#told !== told || this.#beside.slotOut <= told) return
    this.#out.send(this.#others, { type: 'decision', ballot: this.#leader.ballot, decided: this.#tell() })
  }

  /** The leader begins as soon as the replica beside it has caught up. */
  activate(now: number): void {
    this.relinquish(now)
    if (!this.#leader.activate(this.#beside.slotOut, now)) return
    this.#leases.begin(this.#beside.clientIds)
    this.#beside.requests.reproposed(this.#leader.reproposals(), now)
    this.#beat(now)
  }

  /** Once all that it proposed is decided, and its successor has executed that, it is the successor's turn. */
  relinquish(now: number): void {
    if (this.#handover === null || !this.active || this.#commanders.length > 0) return
    if (this.#handover.asked === null)
      this.#handover.asked = this.#beat(now) // it tells what is decided, and the answer how far the successor is
    else if (this.#handover.told >= this.#beside.slotOut) this.#retire(now, this.#handover.to)
  }

  #retire(now: number, successor: ServerId | null = null): void {
    const { ballot } = this.#leader
    this.#lease.drop()
    this.#readIndex.clear()
    if (this.leading) this.#out.send(this.#others, { type: 'stepDown', ballot, successor })
    this.#leader.retire()
    this.#handover = null
    this.#scout = undefined
    this.#commanders = []
    this.#election.lost(ballot, now)
    if (successor !== null) this.#election.postpone(now)
    this.#beside.requests.requeue()
  }

  /** What an active leader does as time goes by. */
  #lead(now: number): void {
    const { timing } = this.#config
    const { patience } = this.#election
    if (!this.#leader.inTouch(now, patience)) return this.#retire(now)
    if (this.#handover !== null && now - this.#handover.since > timing.election) {
      this.#handover = null // the successor does not answer: another one may be found
      if (this.#stops) return this.#retire(now)
    }
    if (now - this.#heartbeatAt >= timing.heartbeat) this.#beat(now)
    const { pending, runCommands } = this.#config.limits
    const silent = this.#leases.due(Math.min(runCommands, pending - this.#beside.requests.queued)) // what is beyond comes later
    if (silent.length > 0) this.#beside.requests.forwarded(silent.map((clientId) => ({ kind: 'end', clientId })))
  }

  /** Gives the number of the heartbeat. */
  #beat(now: number): number {
    this.#heartbeatAt = now
    const { ballot } = this.#leader
    this.#election.heard(ballot, now)
    const [sequence, decided, audit] = [this.#leader.nextSequence(), this.#tell(), this.#beside.chain.block]
    const { lease } = this.#config.timing
    this.#lease.sent(sequence, now)
    this.#out.send(this.#others, { type: 'heartbeat', ballot, sequence, decided, audit, lease })
    return sequence
  }

  #beginPrescout(attempt: number, now: number): void {
    if (this.#leader.phase !== 'passive') this.#retire(now)
    this.#out.send(this.#others, { type: 'prescout', attempt })
    if (this.#election.granted) this.#beginScout(now)
  }

  #beginScout(now: number): void {
    this.#election.scouting(now)
    this.#beside.requests.requeue()
    const above = higher(this.#highest, higher(this.#adopted(), this.#beside.decision.ballot))
    const ballot = this.#leader.scout(above)
    const from = this.#beside.slotOut
    this.#scout = new Scout(ballot, from, this.#configurationOf(from), this.#config.timing.resend, now, this.#out)
  }

  /** What the leader tells all others as decided. */
  #tell(): Slot {
    this.#told = this.#tellable()
    return this.#told
  }

  /** What the leader may call decided at its ballot: nothing was chosen at a higher one, as far as this server knows. */
  #tellable(): Slot {
    const { ballot } = this.#beside.decision
    assert(
      compareBallots(ballot, this.#leader.ballot) <= 0,
      'A5',
      () => `telling decisions of ${showBallot(ballot)} at ${showBallot(this.#leader.ballot)}`,
    )
    return this.#beside.slotOut
  }

  /** One configuration for all slots (the paper's 4.4 gives slot s the one that was decided at or below s − WINDOW). */
  #configurationOf(_slot: Slot): Configuration {
    return this.#config.configuration
  }
}
