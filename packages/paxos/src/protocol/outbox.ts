/** Where the roles of one server put what they emit, until the host drains it as a {@link Ready}. */
import type { ServerId } from './ballot.js'
import type { Reply } from './command.js'
import type { Message } from './message.js'
import type { Envelope, LogRecord, Ready } from './ready.js'

export class Outbox {
  readonly #self: ServerId
  #messages: Envelope[] = []
  #records: LogRecord[] = []
  #messagesAfterSync: Envelope[] = []
  #replies: Reply[] = []
  #local: Message[] = []
  #snapshotWanted = false
  #fetch: ServerId | null = null

  constructor(self: ServerId) {
    this.#self = self
  }

  /** Sends at once. A copy to this server itself never leaves the core: see {@link takeLocal}. */
  send(to: readonly ServerId[], message: Message): void {
    const others = to.includes(this.#self) ? to.filter((server) => server !== this.#self) : to
    if (others.length < to.length) this.#local.push(message)
    if (others.length > 0) this.#messages.push({ to: others, message })
  }

  /** Sends once all records so far, and all before them, are durable; a copy to this server itself comes back as an input. */
  sendAfterSync(to: ServerId, message: Message): void {
    this.#messagesAfterSync.push({ to: [to], message })
  }

  record(record: LogRecord): void {
    this.#records.push(record)
  }

  reply(reply: Reply): void {
    this.#replies.push(reply)
  }

  /** A snapshot is wanted. */
  wantSnapshot(): void {
    this.#snapshotWanted = true
  }

  /** A snapshot of this server's is to be fetched. */
  fetch(from: ServerId): void {
    this.#fetch = from
  }

  /** Whether a record waits to be made durable. */
  get hasRecords(): boolean {
    return this.#records.length > 0
  }

  /** The oldest message from this server to itself, for the core to handle within the same step. */
  takeLocal(): Message | undefined {
    return this.#local.shift()
  }

  /** @param readable see {@link Ready.readable} */
  drain(readable: number): Ready {
    const ready = {
      messages: this.#messages,
      records: this.#records,
      messagesAfterSync: this.#messagesAfterSync,
      replies: this.#replies,
      readable,
      snapshotWanted: this.#snapshotWanted,
      fetch: this.#fetch,
    }
    this.#messages = []
    this.#records = []
    this.#messagesAfterSync = []
    this.#replies = []
    this.#snapshotWanted = false
    this.#fetch = null
    return ready
  }
}
