/** The five roles of one server, and the way of each message to its role. Pure: see ready.ts for the contract with the host. */
import { Acceptor } from './acceptor.js'
import { assert } from './assert.js'
import type { Ballot, ServerId } from './ballot.js'
import { BOTTOM, compareBallots, higher, sameBallot, showBallot } from './ballot.js'
import type { Command, Slot } from './command.js'
import { lastSlot } from './command.js'
import { Commander } from './commander.js'
import type { Config, Configuration } from './config.js'
import { Election } from './election.js'
import type { EventRing } from './event-ring.js'
import { Leader } from './leader.js'
import { Leases } from './leases.js'
import type { Heartbeat, HeartbeatReply, Message, P1a, P1b, P2a, P2b, Prescout, PrescoutReply } from './message.js'
import { Outbox } from './outbox.js'
import { Prng } from './prng.js'
import type { Input, LogRecord, PaxosStatus, Ready } from './ready.js'
import { Replica } from './replica.js'
import { Scout } from './scout.js'
import type { StateMachine } from './state.js'

export class Paxos {
  readonly #config: Config
  readonly #others: readonly ServerId[]
  readonly #out: Outbox
  readonly #acceptor: Acceptor
  readonly #replica: Replica
  readonly #leader: Leader
  readonly #election: Election
  readonly #leases: Leases
  #scout: Scout | undefined
  /** In slot order; the first one is of the first run that is not decided. */
  #commanders: Commander[] = []
  #now = 0
  #begun = false
  /** The highest ballot that any message named. */
  #highest: Ballot = BOTTOM
  /** The replica's slotOut when it was looked at last. */
  #reached: Slot = 1
  #heartbeatAt = 0
  /** The leader has told the others of all decisions below this slot. */
  #told: Slot = 1
  #loggedAt = 0

  constructor(config: Config, machine: StateMachine) {
    this.#config = config
    this.#others = config.configuration.servers.filter((server) => server !== config.id)
    this.#out = new Outbox(config.id)
    this.#leases = new Leases(config.timing.sessionTtl)
    this.#acceptor = new Acceptor(config.limits)
    this.#replica = new Replica(config.id, config.limits, machine, {
      opened: (clientId) => {
        this.#leases.opened(clientId)
      },
      ended: (clientId) => {
        this.#leases.ended(clientId)
      },
    })
    this.#leader = new Leader(config)
    this.#election = new Election(config, new Prng(config.seed))
  }

  /** Recovery: one record of a former life, in the order of the log, before the first step. */
  restore(record: LogRecord): void {
    if (record.type === 'promise') this.#acceptor.restorePromise(record.ballot)
    else if (record.type === 'accept') this.#acceptor.restoreAccept(record.run)
    else if (record.type === 'learn')
      this.#replica.restoreLearned(record.ballot, record.first, record.commands, this.#out)
    else this.#replica.restoreDecided(record.ballot, record.decided, this.#acceptedAt, this.#out)
    this.#acceptor.forget(this.#replica.slotOut)
  }

  /** Takes in one thing that happened. */
  step(input: Input): void {
    this.#now = Math.max(this.#now, input.now)
    if (!this.#begun) {
      this.#begun = true
      this.#election.begin(this.#now)
    }
    this.#take(input)
    this.#settle()
  }

  /** Hands out all that has to happen now, and forgets it. */
  ready(): Ready {
    const told = this.#told
    if (this.#leader.phase === 'active') this.#propose()
    else this.#forward()
    this.#settle()
    if (this.#leader.phase === 'active' && this.#told === told && this.#replica.slotOut > told) {
      this.#out.send(this.#others, { type: 'decision', ballot: this.#leader.ballot, decided: this.#tell() })
    }
    if (this.#out.hasRecords) this.#logDecisions()
    return this.#out.drain()
  }

  status(): PaxosStatus {
    const { phase } = this.#leader
    const candidate = phase !== 'passive' || this.#election.asking
    return {
      role: phase === 'active' ? 'leader' : candidate ? 'candidate' : 'follower',
      leader: this.#election.leader?.server ?? null,
      ballot: this.#acceptor.ballot,
      applied: this.#replica.slotOut - 1,
      sessions: this.#replica.sessions,
      executed: this.#replica.executed,
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
      case 'tick':
        return this.#tick()
      case 'alive':
        return this.#alive(input.clientIds)
      case 'stop':
        if (this.#leading) this.#retire()
    }
  }

  #receive(from: ServerId, message: Message): void {
    switch (message.type) {
      case 'p1a':
        return this.#p1a(from, message)
      case 'p1b':
        return this.#p1b(from, message)
      case 'p2a':
        return this.#p2a(from, message)
      case 'p2b':
        return this.#p2b(from, message)
      case 'preempt':
        return this.#see(message.ballot)
      case 'decision':
        return this.#replica.hear(message.ballot, message.decided, from)
      case 'heartbeat':
        return this.#heartbeat(from, message)
      case 'heartbeatReply':
        return this.#heartbeatReply(from, message)
      case 'prescout':
        return this.#prescout(from, message)
      case 'prescoutReply':
        return this.#prescoutReply(from, message)
      case 'stepDown':
        return this.#election.lost(message.ballot, this.#now)
      case 'forward':
        if (this.#leading) this.#replica.forwarded(message.commands)
        return
      case 'alive':
        if (this.#leading) for (const clientId of message.clientIds) this.#leases.heard(clientId)
        return
      case 'catchUp':
        return this.#replica.catchUp(from, message, this.#out)
      case 'decided':
        return this.#replica.decided(from, message, this.#now, this.#out)
    }
  }

  #p1a(from: ServerId, message: P1a): void {
    this.#acceptor.p1a(from, message, this.#replica.slotOut, this.#out)
    if (from !== this.#config.id && sameBallot(this.#acceptor.ballot, message.ballot))
      this.#election.postpone(this.#now)
  }

  #p1b(from: ServerId, message: P1b): void {
    const adopted = this.#scout?.p1b(from, message, this.#out)
    if (adopted === undefined) return
    this.#scout = undefined
    this.#leader.adopted(adopted)
    this.#replica.expect(adopted.decided, adopted.decidedBy)
  }

  #p2a(from: ServerId, message: P2a): void {
    const { run } = message
    this.#replica.assertSame(run)
    this.#acceptor.p2a(from, message, this.#replica.slotOut, this.#out)
    this.#replica.hear(run.ballot, message.decided, from)
    if (from !== this.#config.id) this.#heardLeader(run.ballot)
  }

  #p2b(from: ServerId, message: P2b): void {
    if (sameBallot(message.ballot, this.#leader.ballot)) this.#leader.heardFrom(from, this.#now)
    const commander = this.#commanders.find(({ run }) => run.first === message.first)
    if (commander?.p2b(from, message) !== true) return
    for (let first = this.#commanders[0]; first?.decided === true; first = this.#commanders[0]) {
      this.#commanders.shift()
      this.#replica.hear(first.run.ballot, lastSlot(first.run) + 1, this.#config.id)
    }
  }

  #heartbeat(from: ServerId, message: Heartbeat): void {
    this.#heardLeader(message.ballot)
    this.#replica.hear(message.ballot, message.decided, from)
    const reply = { ballot: this.#acceptor.ballot, sequence: message.sequence, decided: this.#replica.slotOut }
    this.#out.send([from], { type: 'heartbeatReply', ...reply })
  }

  #heartbeatReply(from: ServerId, message: HeartbeatReply): void {
    if (compareBallots(message.ballot, this.#leader.ballot) > 0) this.#see(message.ballot)
    else this.#leader.heardFrom(from, this.#now)
  }

  #prescout(from: ServerId, message: Prescout): void {
    const granted = this.#election.wouldFollow(from, this.#now)
    const ballot = higher(this.#acceptor.ballot, this.#leader.ballot)
    this.#out.send([from], { type: 'prescoutReply', attempt: message.attempt, granted, ballot })
    this.#out.send([from], { type: 'decision', ballot: this.#replica.decision.ballot, decided: this.#replica.slotOut })
  }

  #prescoutReply(from: ServerId, message: PrescoutReply): void {
    this.#highest = higher(this.#highest, message.ballot)
    if (!message.granted) return
    this.#election.grant(from, message.attempt)
    if (this.#election.granted) this.#beginScout()
  }

  /** The leader is to hear of connected clients. If none is known: the next one begins with all sessions' full time. */
  #alive(clientIds: readonly string[]): void {
    const leader = this.#election.leader
    if (leader !== null) this.#out.send([leader.server], { type: 'alive', clientIds })
  }

  /** Whether this server's leader has been adopted: others forward their clients' commands to it. */
  get #leading(): boolean {
    return this.#leader.phase === 'catchingUp' || this.#leader.phase === 'active'
  }

  #heardLeader(ballot: Ballot): void {
    if (compareBallots(ballot, this.#acceptor.ballot) < 0) return // a deposed leader; our answer tells it so
    this.#see(ballot)
    if (this.#election.heard(ballot, this.#now)) this.#replica.requeue()
  }

  /** Somebody's ballot: if it is above our leader's, that one leads no more. */
  #see(ballot: Ballot): void {
    this.#highest = higher(this.#highest, ballot)
    if (!this.#leader.isPreemptedBy(ballot)) return
    this.#election.preempted(this.#now)
    this.#retire()
  }

  #retire(): void {
    const { ballot } = this.#leader
    if (this.#leading) this.#out.send(this.#others, { type: 'stepDown', ballot })
    this.#leader.retire()
    this.#scout = undefined
    this.#commanders = []
    this.#election.lost(ballot, this.#now)
    this.#replica.requeue()
  }

  #tick(): void {
    const { timing } = this.#config
    this.#leases.advance(this.#now)
    if (this.#leader.phase === 'active') this.#lead()
    else {
      const attempt = this.#election.due(this.#now)
      if (attempt !== undefined) this.#beginPrescout(attempt)
      this.#replica.resend(this.#now, timing.resend * 4)
    }
    this.#scout?.tick(this.#now, this.#out)
    for (const commander of this.#commanders) commander.tick(this.#now, timing.resend, this.#tellable(), this.#out)
    if (this.#now - this.#loggedAt >= 10 * timing.heartbeat) this.#logDecisions()
  }

  /** What an active leader does as time goes by. */
  #lead(): void {
    const { timing } = this.#config
    if (!this.#leader.inTouch(this.#now, timing.election)) return this.#retire()
    if (this.#now - this.#heartbeatAt >= timing.heartbeat) this.#beat()
    const { pending, runCommands } = this.#config.limits
    const silent = this.#leases.due(Math.min(runCommands, pending - this.#replica.queued)) // what is beyond comes later
    if (silent.length > 0) this.#replica.forwarded(silent.map((clientId) => ({ kind: 'end', clientId })))
  }

  #beat(): void {
    this.#heartbeatAt = this.#now
    this.#election.heard(this.#leader.ballot, this.#now)
    const { ballot } = this.#leader
    this.#out.send(this.#others, {
      type: 'heartbeat',
      ballot,
      sequence: this.#leader.nextSequence(),
      decided: this.#tell(),
    })
  }

  #beginPrescout(attempt: number): void {
    if (this.#leader.phase !== 'passive') this.#retire()
    this.#out.send(this.#others, { type: 'prescout', attempt })
    if (this.#election.granted) this.#beginScout()
  }

  #beginScout(): void {
    this.#election.scouting(this.#now)
    this.#replica.requeue()
    const above = higher(this.#highest, higher(this.#acceptor.ballot, this.#replica.decision.ballot))
    const ballot = this.#leader.scout(above)
    const from = this.#replica.slotOut
    this.#scout = new Scout(ballot, from, this.#configurationOf(from), this.#config.timing.resend, this.#now, this.#out)
  }

  #propose(): void {
    const take = (most: number): readonly Command[] => this.#replica.take(most, this.#now)
    while (this.#commanders.length < this.#config.limits.runsInFlight) {
      const run = this.#leader.propose(this.#replica.slotOut, take)
      if (run === undefined) return
      this.#commanders.push(new Commander(run, this.#configurationOf(run.first), this.#tell(), this.#now, this.#out))
    }
  }

  #forward(): void {
    const leader = this.#election.leader
    if (leader === null || leader.server === this.#config.id) return
    while (this.#replica.queued > 0) {
      this.#out.send([leader.server], {
        type: 'forward',
        commands: this.#replica.take(this.#config.limits.runCommands, this.#now),
      })
    }
  }

  /** What the leader tells all others as decided. */
  #tell(): Slot {
    this.#told = this.#tellable()
    return this.#told
  }

  /** What the leader may call decided at its ballot: nothing was chosen at a higher one, as far as this server knows. */
  #tellable(): Slot {
    const { ballot } = this.#replica.decision
    assert(
      compareBallots(ballot, this.#leader.ballot) <= 0,
      'A5',
      () => `telling decisions of ${showBallot(ballot)} at ${showBallot(this.#leader.ballot)}`,
    )
    return this.#replica.slotOut
  }

  /** Handles this server's messages to itself, executes what is decided, and lets the leader begin when it may. */
  #settle(): void {
    for (;;) {
      this.#see(higher(this.#acceptor.ballot, this.#replica.decision.ballot))
      this.#advance()
      const message = this.#out.takeLocal()
      if (message === undefined) break
      this.#receive(this.#config.id, message)
    }
    this.#replica.seek(this.#others, this.#now, this.#config.timing.resend, this.#out)
    if (this.#leader.activate(this.#replica.slotOut, this.#now)) {
      this.#leases.begin(this.#replica.clientIds)
      this.#replica.reproposed(this.#leader.reproposals(), this.#now)
      this.#beat()
    }
  }

  #logDecisions(): void {
    this.#loggedAt = this.#now
    this.#replica.logDecisions(this.#out)
  }

  readonly #acceptedAt = (slot: Slot, ballot: Ballot): Command | undefined => this.#acceptor.acceptedAt(slot, ballot)

  #advance(): void {
    this.#replica.advance(this.#acceptedAt, this.#out)
    if (this.#replica.slotOut === this.#reached) return
    this.#reached = this.#replica.slotOut
    this.#acceptor.forget(this.#reached)
    if (this.#leader.phase === 'catchingUp') this.#election.postpone(this.#now)
  }

  /** One configuration for all slots (the paper's 4.4 gives slot s the one that was decided at or below s − WINDOW). */
  #configurationOf(_slot: Slot): Configuration {
    return this.#config.configuration
  }
}
