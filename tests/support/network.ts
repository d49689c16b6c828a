/** Cores wired by a network and disks that do only what the test says: it delivers, loses, repeats and syncs by hand. */
import type { ServerId } from '@synod/paxos/internal/protocol/ballot'
import type { Limits, Timing } from '@synod/paxos/internal/protocol/config'
import { SynodError } from '@synod/paxos/internal/protocol/error'
import type { Message } from '@synod/paxos/internal/protocol/message'
import type { PaxosStatus } from '@synod/paxos/internal/protocol/ready'
import { Paxos } from '@synod/paxos/internal/protocol/paxos'
import type { Envelope, Input, LogRecord } from '@synod/paxos/internal/protocol/ready'
import type { Event, Server } from './network-server.js'
import { collect, isRepairing, recover, save } from './saved.js'
import type { Saved } from './saved.js'
import { commands, config, Journal, showEnvelope, showRecord, showReply, showWishes, text } from './transcript.js'
import type { InFlight } from './wires.js'
import { Wires } from './wires.js'

export interface NetworkOptions {
  readonly limits?: Partial<Limits>
  readonly timing?: Partial<Timing>
  readonly seed?: number
}

export class Network {
  /** In ms. */
  now = 0
  /** All that happened since {@link transcript} was asked for last. */
  #transcript: string[] = []
  readonly #wires = new Wires()
  readonly #servers: Server[]
  readonly #options: NetworkOptions

  constructor(count: number, options: NetworkOptions = {}) {
    this.#options = options
    this.#servers = Array.from({ length: count }, () => ({
      core: new Paxos(config(0, count), new Journal()),
      machine: new Journal(),
      durable: [],
      writing: [],
      snapshot: null,
      snapshotWanted: false,
      fetch: null,
      readable: 0,
      starts: 0,
      up: false,
      busy: false,
    }))
    for (const id of this.ids) this.start(id)
  }

  get ids(): ServerId[] {
    return this.#servers.map((_, id) => id)
  }

  /** What happened since the last call, a line each. */
  transcript(): string {
    const all = this.#transcript.join('\n')
    this.#transcript = []
    return all
  }

  status(id: ServerId): PaxosStatus {
    return this.#server(id).core.status()
  }

  /** What the server's state machine executed. */
  executed(id: ServerId): readonly string[] {
    return this.#server(id).machine.executed
  }

  core(id: ServerId): Paxos {
    return this.#server(id).core
  }

  /** The last slot of the server's snapshot; null if it has none. */
  snapshotOf(id: ServerId): number | null {
    return this.#server(id).snapshot?.head.slot ?? null
  }

  /** What is durable of the server's log. */
  durable(id: ServerId): readonly LogRecord[] {
    return this.#server(id).durable
  }

  /** Time passes, and one server (or each) is told. */
  tick(ms: number, ...ids: ServerId[]): void {
    this.now += ms
    for (const id of ids.length > 0 ? ids : this.ids) this.#step(id, { type: 'tick' })
  }

  submit(id: ServerId, list: string): void {
    this.#step(id, { type: 'submit', commands: list })
  }

  /** So many reads of the server's clients arrive. */
  read(id: ServerId, count = 1): void {
    this.#step(id, { type: 'read', count })
  }

  /** Of the server's reads since its start, so many may be answered. */
  readable(id: ServerId): number {
    return this.#server(id).readable
  }

  /** From now on this server executes what it is behind by only when {@link goOn} says so. */
  keepBusy(id: ServerId): void {
    this.#server(id).busy = true
  }

  /** The server's host finds time: some of what it is behind by is executed. */
  goOn(id: ServerId): void {
    this.#step(id, { type: 'goOn' })
  }

  /** The clients of these sessions are connected to the server. */
  alive(id: ServerId, ...clientIds: string[]): void {
    this.#step(id, { type: 'alive', clientIds })
  }

  /** The events that the server has, as `x@3`. */
  events(id: ServerId, from = 1): string[] {
    return this.#server(id)
      .core.events.read(from, Infinity)
      .flatMap(({ events }) => events.map(text))
  }

  /** The server's connections to another one broke. */
  unreachable(id: ServerId, server: ServerId): void {
    this.#step(id, { type: 'unreachable', server })
  }

  /** The server is to hand its leadership over. */
  handOver(id: ServerId, to: ServerId | null): void {
    this.#step(id, { type: 'handOver', to })
  }

  /** The server's host is about to end. */
  stop(id: ServerId): void {
    this.#step(id, { type: 'stop' })
  }

  /** Hands a message to a server that nobody of this cluster sent, or that was sent long ago. */
  inject(from: ServerId, to: ServerId, message: Message): void {
    this.#step(to, { type: 'message', from, message })
  }

  /** Delivers what is in flight, in order, and not what that leads to: all of it, or what the lines `0→1 p2a` name. */
  deliver(...names: string[]): void {
    for (const each of this.#wires.take(names)) this.#arrive(each)
  }

  /** Delivers, and keeps a copy in flight. */
  repeat(name: string): void {
    const taken = this.#wires.take([name])
    for (const each of taken) this.#arrive(each)
    this.#wires.putBack(taken)
  }

  /** Loses what is in flight: all of it, or what the names say. */
  lose(...names: string[]): void {
    this.#wires.take(names)
  }

  /** Takes messages out of flight; they arrive when the function is called, whatever became of their sender. */
  delay(...names: string[]): () => void {
    const late = this.delayEach(...names)
    return () => {
      for (const arrive of late) arrive()
    }
  }

  /** The same, with a function for each. */
  delayEach(...names: string[]): (() => void)[] {
    return this.#wires.take(names).map(({ from, to, message }) => () => {
      this.inject(from, to, message)
    })
  }

  /** All appends of these servers (or of each) become durable, and what waited for that leaves. */
  sync(...ids: ServerId[]): void {
    for (const id of ids.length > 0 ? ids : this.ids) while (this.#server(id).writing.length > 0) this.syncOne(id)
  }

  /** The oldest append of the server becomes durable. */
  syncOne(id: ServerId): void {
    const server = this.#server(id)
    const append = server.writing.shift()
    if (append === undefined) return
    server.durable.push(...append.records)
    if (append.records.some(({ type }) => type === 'base')) server.durable = collect(server.durable)
    this.#release(id, append.messages)
    while (server.writing[0]?.records.length === 0) this.#release(id, server.writing.shift()?.messages ?? [])
  }

  /** Syncs, delivers, and does what the cores want of their hosts, until nothing is left to do. */
  settle(): void {
    for (
      let rounds = 0;
      !this.#wires.idle || this.#servers.some(({ writing }) => writing.length > 0) || this.serve();
      rounds++
    ) {
      if (rounds > 10_000)
        throw new Error(`the cluster does not come to rest:\n${this.#transcript.slice(-20).join('\n')}`)
      this.sync()
      this.deliver()
    }
  }

  /** The hosts make and fetch the snapshots that their cores want. True if there were any. */
  serve(): boolean {
    let any = false
    for (const id of this.ids) {
      const server = this.#server(id)
      const { snapshotWanted, fetch } = server
      server.snapshotWanted = false
      server.fetch = null
      if (!server.up || (!snapshotWanted && fetch === null)) continue
      any = true
      if (snapshotWanted) this.snapshot(id)
      if (fetch !== null && this.#reaches(fetch, id)) this.install(id, fetch)
    }
    return any
  }

  /** The server's host makes a snapshot. */
  snapshot(id: ServerId): void {
    const server = this.#server(id)
    if (!server.up) return
    if (server.core.status().applied > (this.snapshotOf(id) ?? 0)) server.snapshot = save(server.core, server.machine)
    if (server.snapshot !== null) this.#step(id, { type: 'snapshot', slot: server.snapshot.head.slot })
  }

  /** The server's host gets a snapshot of another server's, unless it is an old one, and begins to install it. */
  suspend(id: ServerId, from: ServerId): Saved | null {
    const [server, { snapshot }] = [this.#server(id), this.#server(from)]
    if (snapshot === null || snapshot.head.slot <= server.core.status().applied) return null
    server.snapshot = snapshot
    server.core.suspend()
    server.machine.replace(new Journal())
    return snapshot
  }

  /** The server's host gets and installs a snapshot of another server's, unless it is an old one. */
  install(id: ServerId, from: ServerId): void {
    const snapshot = this.suspend(id, from)
    if (snapshot !== null) this.resume(id, snapshot)
  }

  /** A snapshot is installed. */
  resume(id: ServerId, snapshot: Saved): void {
    const { core, machine } = this.#server(id)
    machine.replace(snapshot.state)
    core.install(snapshot)
    this.#step(id, { type: 'snapshot', slot: snapshot.head.slot })
  }

  /** Time passes in steps of `step` ms; after each tick all comes to rest. */
  run(ms: number, step = 25): void {
    for (const end = this.now + ms; this.now < end;) {
      this.tick(step)
      this.settle()
    }
  }

  /** This server leads: it finds no leader, asks, scouts, and is adopted. */
  elect(id: ServerId): void {
    this.tick(0)
    this.tick(2000, id)
    this.settle()
    if (this.status(id).role !== 'leader') throw new Error(`server ${id} does not lead:\n${this.transcript()}`)
  }

  /** No message passes between the two, either way, until the link is healed. */
  cut(...links: string[]): void {
    for (const link of links) this.#wires.cut(link)
  }

  /** Cuts all links but these, `0-1`. */
  onlyLinks(...links: string[]): void {
    for (const a of this.ids) for (const b of this.ids) if (a < b && !links.includes(`${a}-${b}`)) this.cut(`${a}-${b}`)
  }

  heal(): void {
    this.#wires.heal()
  }

  /** Kills the server: what was not durable is lost. */
  crash(id: ServerId): void {
    const server = this.#server(id)
    server.writing = []
    server.up = false
  }

  /** The server's disk lies: each record becomes what `change` says. */
  rewrite(id: ServerId, change: (record: LogRecord) => LogRecord): void {
    const server = this.#server(id)
    server.durable = server.durable.map(change)
  }

  /** Kills the server; its disk is lost. */
  wipe(id: ServerId): void {
    this.crash(id)
    const server = this.#server(id)
    server.durable = []
    server.snapshot = null
  }

  /** The server's snapshot turns out to be damaged; it has to be down. */
  loseSnapshot(id: ServerId): void {
    this.#server(id).snapshot = null
  }

  /** Starts the server to be repaired: its directory is empty. */
  repair(id: ServerId): void {
    const { durable } = this.#server(id)
    if (!isRepairing(durable)) durable.push({ type: 'repairing' })
    this.start(id)
  }

  /** Starts the server from what is durable. */
  start(id: ServerId): void {
    const server = this.#server(id)
    server.machine = new Journal()
    server.snapshotWanted = false
    server.fetch = null
    server.readable = 0
    const start = server.starts++
    const seed = (this.#options.seed ?? 0) * 100 + id + 1 + start * 10
    server.core = new Paxos(config(id, this.#servers.length, { ...this.#options, start, seed }), server.machine)
    const collected = recover(server)
    server.up = true
    const slot = this.snapshotOf(id) ?? 0
    if (slot > collected) this.#step(id, { type: 'snapshot', slot }) // a crash came before its base was durable
  }

  #step(id: ServerId, event: Event): void {
    const server = this.#server(id)
    if (!server.up) return
    const { now } = this
    const input: Input =
      event.type === 'submit' ? { type: 'submit', commands: commands(event.commands), now } : { ...event, now }
    try {
      server.core.step(input)
    } catch (error) {
      if (!(error instanceof SynodError) || error.code !== 'DIVERGED') throw error
      this.#transcript.push(`${id} stops: ${error.code}`)
      return this.crash(id)
    }
    const ready = server.core.ready()
    for (const envelope of ready.messages) this.#send(id, envelope)
    for (const record of ready.records) this.#transcript.push(`${id} logs ${showRecord(record)}`)
    if (ready.readable > server.readable) this.#transcript.push(`${id} may answer reads up to ${ready.readable}`)
    server.readable = ready.readable
    for (const reply of ready.replies) this.#transcript.push(`${id} replies ${showReply(reply)}`)
    this.#transcript.push(...showWishes(id, ready))
    if (ready.snapshotWanted) server.snapshotWanted = true
    server.fetch = ready.fetch ?? server.fetch
    if (ready.records.length === 0 && server.writing.length === 0) this.#release(id, ready.messagesAfterSync)
    else if (ready.records.length > 0 || ready.messagesAfterSync.length > 0) {
      server.writing.push({ records: ready.records, messages: ready.messagesAfterSync })
    }
    if (server.core.isBehind && !server.busy) this.#step(id, { type: 'goOn' })
  }

  #release(id: ServerId, messages: readonly Envelope[]): void {
    for (const envelope of messages) this.#send(id, envelope)
    for (const { to, message } of messages) if (to.includes(id)) this.#step(id, { type: 'message', from: id, message })
  }

  #send(from: ServerId, envelope: Envelope): void {
    this.#transcript.push(showEnvelope(from, envelope))
    this.#wires.send(from, envelope)
  }

  #arrive({ from, to, message }: InFlight): void {
    if (this.#reaches(from, to)) this.#step(to, { type: 'message', from, message })
  }

  #reaches(from: ServerId, to: ServerId): boolean {
    return !this.#wires.areCut(from, to) && this.#server(from).up
  }

  #server(id: ServerId): Server {
    const server = this.#servers[id]
    if (server === undefined) throw new RangeError(`there is no server ${id}`)
    return server
  }
}
