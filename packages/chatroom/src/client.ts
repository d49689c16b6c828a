/** The chatroom as an object with typed methods. Runs in browsers, too: it imports nothing of Node's. */
import type { CallOptions, Client } from '@synod/paxos'
import { MAX_PAGE } from './command.js'
import type { ChatEvent, ChatOp, ChatOpOf, ChatResult, ChatResults } from './command.js'

/** A connection to a cluster of chatroom servers, or whatever stands for one. */
export type ChatConnection = Pick<Client<ChatOp, ChatResult, ChatEvent>, 'submit' | 'subscribe' | 'close'>

/** Whose message it is, and what it says. */
export type Post = Omit<ChatOpOf<'post'>, 'type' | 'at'> & {
  /** When it was written, ms since the epoch: now, if left out. */
  readonly at?: number
}

/** Which messages of a room are wanted. */
export type PageOptions = Partial<Omit<ChatOpOf<'read'>, 'type' | 'room'>>

/**
 * The chatroom's operations. All are linearizable, and happen exactly once however often they had to be sent. Those that only
 * read (`read`, `rooms`, `who`) are in no order with the others that are under way: await those that they are to see. They fail
 * with a `Refusal`, whose code `ChatResults` tells; or with a `ClientError`: `BAD_OPERATION` for what is outside the limits,
 * `TIMEOUT`, `UNAVAILABLE` and the like for a cluster that does not answer; its `mayHaveHappened` tells whether the
 * operation may take effect nevertheless.
 */
export class ChatClient {
  constructor(readonly connection: ChatConnection) {}

  /** Adds a message behind all others of the room. */
  post({ at = Date.now(), ...post }: Post, options?: CallOptions): Promise<ChatResults['post']> {
    return this.#submit({ type: 'post', at, ...post }, options)
  }

  /** A page of messages: the latest, if neither `before` nor `after` is given. */
  read(
    room: string,
    { limit = MAX_PAGE, ...place }: PageOptions = {},
    options?: CallOptions,
  ): Promise<ChatResults['read']> {
    return this.#submit({ type: 'read', room, limit, ...place }, options)
  }

  /** All rooms. */
  rooms(options?: CallOptions): Promise<ChatResults['rooms']> {
    return this.#submit({ type: 'rooms' }, options)
  }

  /** Gives one's own message another text. */
  edit(change: Omit<ChatOpOf<'edit'>, 'type'>, options?: CallOptions): Promise<ChatResults['edit']> {
    return this.#submit({ type: 'edit', ...change }, options)
  }

  /** Takes one's own message back: its number stays, its text goes. */
  delete(which: Omit<ChatOpOf<'delete'>, 'type'>, options?: CallOptions): Promise<ChatResults['delete']> {
    return this.#submit({ type: 'delete', ...which }, options)
  }

  /** From now on this client is in the room, under this name, until it leaves, is closed, or is cut off for too long. */
  join(room: string, name: string, options?: CallOptions): Promise<ChatResults['join']> {
    return this.#submit({ type: 'join', room, name }, options)
  }

  leave(room: string, options?: CallOptions): Promise<ChatResults['leave']> {
    return this.#submit({ type: 'leave', room }, options)
  }

  /** Who is in the room. */
  who(room: string, options?: CallOptions): Promise<ChatResults['who']> {
    return this.#submit({ type: 'who', room }, options)
  }

  async close(): Promise<void> {
    await this.connection.close()
  }

  async #submit<Op extends ChatOp>(op: Op, options?: CallOptions): Promise<ChatResults[Op['type']]> {
    const result: ChatResult = await this.connection.submit(op, options)
    // ChatState answers each type of operation by its own type of result.
    return result as ChatResults[Op['type']]
  }
}
