/** The way to the servers, which can be given up for another one: what was written and has no outcome goes with it. */
import type { Connectivity } from '@synod/paxos'
import { connectChatroom } from '../connect.js'
import type { ChatClient } from '../client.js'
import { Chat, type ChatChange } from '../live/chat.js'
import type { Draft, Me, Unsent } from '../live/outbox.js'
import { codeOf, Patience } from '../live/patience.js'

/** Without any answer for this long (ms), that is said. */
const SILENCE = 3_000

export interface ConnectionOptions {
  readonly me: Me
  /** How long an answer may take, ms. */
  readonly timeout: number
  /** A room by which it is tried whether there are answers. */
  readonly room: string
  readonly changed: (change: ChatChange) => void
  /** Takes a sentence about the connection. */
  readonly said: (sentence: string) => void
}

/** Which servers. */
export interface Target {
  readonly servers: readonly string[]
  /** Whether the others of their cluster will do, too. */
  readonly discover: boolean
}

/** A message that was written, and has no outcome. */
interface Kept {
  readonly room: string
  readonly text: string
  readonly draft: Draft
}

export class Connection {
  readonly #options: ConnectionOptions
  #client: ChatClient | null = null
  #chat: Chat | null = null
  #kept: Kept[] = []
  #address: string | null = null
  /** The cluster has answered over the connection that there is. */
  #isUp = false
  #isTrying = false
  #silence: NodeJS.Timeout | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  /** Null while one has let go of the servers. */
  get chat(): Chat | null {
    return this.#chat
  }

  get client(): ChatClient | null {
    return this.#client
  }

  /** Whether the cluster answers. */
  get isUp(): boolean {
    return this.#isUp
  }

  /** How many messages have no outcome. */
  get pending(): number {
    return this.#kept.length + (this.#chat?.pending ?? 0)
  }

  /** Whether this message has no outcome, and is here still: not in the hands of a later connection. */
  isPending(unsent: Unsent): boolean {
    const isKept = this.#kept.some(({ draft }) => draft.nonce === unsent.nonce)
    return isKept || this.#chat?.unsent.some(([, each]) => each === unsent) === true
  }

  /** Connects to these servers, and to no others any more. */
  async open({ servers, discover }: Target): Promise<void> {
    await this.close()
    const client: ChatClient = connectChatroom({
      servers,
      discover,
      timeout: this.#options.timeout,
      onConnection: (connectivity) => {
        if (client === this.#client) this.#turned(connectivity, servers.length > 1 || discover)
      },
    })
    this.#client = client
    const chat = new Chat(client, this.#options.me, (change) => {
      if (client === this.#client) this.#options.changed(change)
    })
    this.#chat = chat
    for (const { room, text, draft } of this.#kept.splice(0)) chat.post(room, text, draft)
    this.#expectAnswer()
  }

  /** Lets go of the servers; what has no outcome is kept. */
  async close(): Promise<void> {
    clearTimeout(this.#silence)
    for (const [room, unsent] of this.#chat?.unsent ?? []) this.keep(room, unsent.text, unsent)
    const client = this.#client
    this.#chat?.close()
    this.#chat = null
    this.#client = null
    this.#address = null
    this.#isUp = false
    this.#isTrying = false
    await client?.close()
  }

  /** Keeps a message for the next connection. */
  keep(room: string, text: string, { nonce, at, author }: Draft = {}): void {
    const draft = {
      ...(nonce !== undefined && { nonce }),
      at: at ?? Date.now(),
      author: author ?? this.#options.me.name,
    }
    this.#kept.push({ room, text, draft })
  }

  /** A server was reached, or is out of reach. Without a majority that goes on and on, and is not worth a word each time. */
  #turned(connectivity: Connectivity, hasOthers: boolean): void {
    if (connectivity.state === 'connected') {
      this.#address = connectivity.address
      this.#chat?.hurry()
      if (!this.#isUp) void this.#try()
      return
    }
    if (this.#isUp) {
      this.#options.said(`connection to ${this.#address ?? ''} lost, ${hasOthers ? 'trying others' : 'trying again'}`)
      this.#expectAnswer()
    }
    this.#isUp = false
    this.#address = null
  }

  /** Says that there is a connection when there is an answer of the cluster, whichever server it comes from. */
  async #try(): Promise<void> {
    const client = this.#client
    if (client === null || this.#isTrying) return
    this.#isTrying = true
    const patience = new Patience()
    while (client === this.#client && !this.#isUp && this.#address !== null) {
      try {
        await client.read(this.#options.room, { limit: 1 })
        if (client === this.#client) this.#answered()
      } catch (error) {
        if (codeOf(error) === '') throw error
        await patience.wait()
      }
    }
    if (client === this.#client) this.#isTrying = false
  }

  #answered(): void {
    this.#isUp = true
    clearTimeout(this.#silence)
    this.#options.said(`connected to ${this.#address ?? ''}`)
  }

  #expectAnswer(): void {
    clearTimeout(this.#silence)
    this.#silence = setTimeout(() => {
      this.#options.said('no answer yet, trying on; what you write is kept')
    }, SILENCE)
  }
}
