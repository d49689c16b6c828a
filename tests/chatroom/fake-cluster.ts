/** A cluster of one state in this process, whose clients meet whatever a test wants: lost answers, late commands, lost events. */
import type { ChatConnection, ChatEvent, ChatOp, ChatResult, ChatResults } from '@synod/chatroom'
import { ClientError, FeedError, type Feed, type FeedEvent } from '@synod/paxos'
import { TestRoom } from './room.js'

/**
 * What becomes of a command. `lost`: it is executed, but the answer is lost; `late`: it is executed long after its client has
 * given it up; `never`: it is not executed, and the client knows.
 */
export type Fate = 'answered' | 'lost' | 'late' | 'never'

export class FakeCluster {
  readonly chat = new TestRoom()
  /** All events, as a feed has them. */
  readonly events: FeedEvent<ChatEvent>[] = []
  readonly feeds = new Set<FakeFeed>()
  readonly #late: (() => void)[] = []
  #sessions = 0

  execute<Op extends ChatOp>(op: Op, clientId: string): ChatResults[Op['type']] {
    try {
      return this.chat.do(op, clientId)
    } finally {
      this.#tell()
    }
  }

  end(clientId: string): void {
    this.chat.end(clientId)
    this.#tell()
  }

  newSession(): string {
    return `session ${++this.#sessions}`
  }

  later(work: () => void): void {
    this.#late.push(work)
  }

  /** One of the late commands, or all, are executed. */
  executeLate(most = Infinity): void {
    for (const work of this.#late.splice(0, most)) work()
  }

  #tell(): void {
    const { slot } = this.chat
    for (const [index, value] of this.chat.taken().entries()) this.events.push({ slot, index, value })
    for (const feed of this.feeds) feed.more()
  }
}

class FakeFeed implements Feed<ChatEvent> {
  readonly started: Promise<number>
  readonly #cluster: FakeCluster
  #at: number
  #end: { readonly error: Error | null } | null = null
  #wake: () => void = () => undefined

  constructor(cluster: FakeCluster, from: number) {
    this.#cluster = cluster
    this.started = Promise.resolve(from)
    const first = cluster.events.findIndex(({ slot }) => slot >= from)
    this.#at = first === -1 ? cluster.events.length : first
    cluster.feeds.add(this)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<FeedEvent<ChatEvent>> {
    for (;;) {
      if (this.#end?.error) throw this.#end.error
      if (this.#end !== null) return
      const event = this.#cluster.events[this.#at]
      if (event !== undefined) {
        this.#at += 1
        yield event
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    }
  }

  more(): void {
    this.#wake()
  }

  close(error: Error | null = null): void {
    this.#end = { error }
    this.#cluster.feeds.delete(this)
    this.#wake()
  }

  /** The servers have dropped what comes next. */
  lag(): void {
    this.close(new FeedError('LAGGED', 'the feed was read too slowly', this.#cluster.chat.slot + 1))
  }
}

export class FakeConnection implements ChatConnection {
  /** Drawn for each command. */
  fate: (op: ChatOp) => Fate = () => 'answered'
  /** How long a command is on its way, and its answer on the way back: ms, drawn for each. */
  delay: () => number = () => 0
  readonly #cluster: FakeCluster
  #clientId: string
  #isClosed = false

  constructor(cluster: FakeCluster) {
    this.#cluster = cluster
    this.#clientId = cluster.newSession()
  }

  async submit(op: ChatOp): Promise<ChatResult> {
    await this.#pass()
    const fate = this.fate(op)
    const clientId = this.#clientId
    if (fate === 'never') throw new ClientError('UNAVAILABLE', 'no server could take the command in time')
    if (fate === 'late') {
      this.#cluster.later(() => {
        try {
          // A session that has ended executes nothing.
          if (clientId === this.#clientId) this.#cluster.execute(op, clientId)
        } catch {
          // A refusal that nobody hears.
        }
      })
      throw new ClientError('TIMEOUT', 'the command has no outcome in time', true)
    }
    const result = this.#cluster.execute(op, clientId)
    await this.#pass()
    if (fate === 'lost') throw new ClientError('TIMEOUT', 'the command has no outcome in time', true)
    return result
  }

  subscribe({ from = 'now' }: { readonly from?: number | 'now' } = {}): Feed<ChatEvent> {
    return new FakeFeed(this.#cluster, from === 'now' ? this.#cluster.chat.slot + 1 : from)
  }

  /** The cluster takes the client for gone; it goes on with another session. */
  expire(): void {
    this.#cluster.end(this.#clientId)
    this.#clientId = this.#cluster.newSession()
  }

  close(): Promise<void> {
    this.#isClosed = true
    this.#cluster.end(this.#clientId)
    return Promise.resolve()
  }

  async #pass(): Promise<void> {
    const ms = this.delay()
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms))
    else await Promise.resolve()
    if (this.#isClosed) throw new ClientError('CLOSED', 'the client was closed')
  }
}
