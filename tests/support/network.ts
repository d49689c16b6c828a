/** Cores wired by a network and disks that do only what the test says: it delivers, loses, repeats and syncs by hand. */
import type { ServerId } from '@synod/paxos/internal/protocol/ballot'
import type { Limits, Timing } from '@synod/paxos/internal/protocol/config'
import type { Message } from '@synod/paxos/internal/protocol/message'
import type { PaxosStatus } from '@synod/paxos/internal/protocol/ready'
import { Paxos } from '@synod/paxos/internal/protocol/paxos'
import type { Envelope, Input, LogRecord } from '@synod/paxos/internal/protocol/ready'
import { commands, config, Journal, showEnvelope, showMessage, showRecord, showReply, text } from './transcript.js'

/** Without the time, which the cluster adds. */
type Event =
  | { type: 'tick' }
  | { type: 'stop' }
  | { type: 'submit'; commands: string }
  | { type: 'alive'; clientIds: readonly string[] }
  | { type: 'message'; from: ServerId; message: Message }

interface InFlight {
  readonly from: ServerId
  readonly to: ServerId
  readonly message: Message
}

/** An append that is not durable yet, and the messages that wait for it. */
interface Append {
  readonly records: readonly LogRecord[]
  readonly messages: readonly Envelope[]
}

interface Server {
  core: Paxos
  machine: Journal
  durable: LogRecord[]
  writing: Append[]
  starts: number
  up: boolean
}

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
  #inFlight: InFlight[] = []
  readonly #cut = new Set<string>()
  readonly #servers: Server[]
  readonly #options: NetworkOptions

  constructor(count: number, options: NetworkOptions = {}) {
    this.#options = options
    this.#servers = Array.from({ length: count }, () => ({
      core: new Paxos(config(0, count), new Journal()),
      machine: new Journal(),
      durable: [],
      writing: [],
      starts: 0,
      up: false,
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
    for (const each of this.#pick(names)) this.#arrive(each)
  }

  /** Delivers, and keeps a copy in flight. */
  repeat(name: string): void {
    const picked = this.#pick([name])
    for (const each of picked) this.#arrive(each)
    this.#inFlight.push(...picked)
  }

  /** Loses what is in flight: all of it, or what the names say. */
  lose(...names: string[]): void {
    this.#pick(names)
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
    this.#release(id, append.messages)
    while (server.writing[0]?.records.length === 0) this.#release(id, server.writing.shift()?.messages ?? [])
  }

  /** Syncs and delivers until nothing is left to do. */
  settle(): void {
    for (
      let rounds = 0;
      this.#inFlight.length > 0 || this.#servers.some(({ writing }) => writing.length > 0);
      rounds++
    ) {
      if (rounds > 10_000)
        throw new Error(`the cluster does not come to rest:\n${this.#transcript.slice(-20).join('\n')}`)
      this.sync()
      this.deliver()
    }
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
    for (const link of links) this.#cut.add(link)
  }

  /** Cuts all links but these, `0-1`. */
  onlyLinks(...links: string[]): void {
    for (const a of this.ids) for (const b of this.ids) if (a < b && !links.includes(`${a}-${b}`)) this.cut(`${a}-${b}`)
  }

  heal(): void {
    this.#cut.clear()
  }

  /** Kills the server: what was not durable is lost. */
  crash(id: ServerId): void {
    const server = this.#server(id)
    server.writing = []
    server.up = false
  }

  /** Starts the server from what is durable. */
  start(id: ServerId): void {
    const server = this.#server(id)
    server.machine = new Journal()
    const start = server.starts++
    const seed = (this.#options.seed ?? 0) * 100 + id + 1 + start * 10
    server.core = new Paxos(config(id, this.#servers.length, { ...this.#options, start, seed }), server.machine)
    for (const record of server.durable) server.core.restore(record)
    server.up = true
  }

  #step(id: ServerId, event: Event): void {
    const server = this.#server(id)
    if (!server.up) return
    const { now } = this
    const input: Input =
      event.type === 'submit' ? { type: 'submit', commands: commands(event.commands), now } : { ...event, now }
    server.core.step(input)
    const ready = server.core.ready()
    for (const envelope of ready.messages) this.#send(id, envelope)
    for (const record of ready.records) this.#transcript.push(`${id} logs ${showRecord(record)}`)
    for (const reply of ready.replies) this.#transcript.push(`${id} replies ${showReply(reply)}`)
    if (ready.records.length === 0 && server.writing.length === 0) this.#release(id, ready.messagesAfterSync)
    else if (ready.records.length > 0 || ready.messagesAfterSync.length > 0) {
      server.writing.push({ records: ready.records, messages: ready.messagesAfterSync })
    }
  }

  #release(id: ServerId, messages: readonly Envelope[]): void {
    for (const envelope of messages) this.#send(id, envelope)
    for (const { to, message } of messages) if (to.includes(id)) this.#step(id, { type: 'message', from: id, message })
  }

  #send(from: ServerId, envelope: Envelope): void {
    this.#transcript.push(showEnvelope(from, envelope))
    for (const to of envelope.to) if (to !== from) this.#inFlight.push({ from, to, message: envelope.message })
  }

  #arrive({ from, to, message }: InFlight): void {
    if (this.#cut.has(`${Math.min(from, to)}-${Math.max(from, to)}`) || !this.#server(from).up) return
    this.#step(to, { type: 'message', from, message })
  }

  /** Takes messages out of those in flight. A name is the beginning of the line that shows the message to one receiver. */
  #pick(names: readonly string[]): InFlight[] {
    const named = (name: string, each: InFlight): boolean =>
      `${each.from}→${each.to} ${showMessage(each.message)}`.startsWith(name)
    for (const name of names) {
      if (!this.#inFlight.some((each) => named(name, each))) throw new Error(`no such message is in flight: ${name}`)
    }
    const chosen = (each: InFlight): boolean => names.length === 0 || names.some((name) => named(name, each))
    const picked = this.#inFlight.filter(chosen)
    this.#inFlight = this.#inFlight.filter((each) => !chosen(each))
    return picked
  }

  #server(id: ServerId): Server {
    const server = this.#servers[id]
    if (server === undefined) throw new RangeError(`there is no server ${id}`)
    return server
  }
}
