/** Those who listen to what the service emits: each notes all that it hears, for the judge. */
import { ClientError, FeedError } from '@synod/paxos'
import type { Feed, FeedEvent } from '@synod/paxos'
import type { FeedRecord } from '../report/report.js'
import type { StepOf } from '../scenario/schema.js'
import type { World, WorldClient } from '../world/world.js'
import { serversOf } from './survey.js'

/** What one subscriber has heard. */
export interface Heard {
  readonly name: string
  /** The servers that it knows. */
  readonly servers: readonly number[]
  /** The first slot whose events it gets; null as long as no server has begun to send. */
  first: number | null
  readonly events: FeedEvent<unknown>[]
  /** `closed`: it wants no more. An error: it can have no more. */
  state: 'open' | 'closed' | FeedError | ClientError
}

/** What the judge's own feed is called in sentences. */
const JUDGE = 'the judge'

interface Open {
  readonly heard: Heard
  readonly feed: Feed<unknown>
  readonly client: WorldClient
}

export class Subscribers {
  /** All that ever were, but for the judge. */
  readonly all: Heard[] = []
  readonly #world: World
  readonly #failed: (error: unknown) => void
  readonly #open = new Map<string, Open>()
  #judge: Open | null = null

  /** @param failed takes what is a bug */
  constructor(world: World, failed: (error: unknown) => void) {
    this.#world = world
    this.#failed = failed
  }

  /** Begins a feed; returns why it could not. */
  subscribe({ id, servers, from = 'now' }: Omit<StepOf<'Subscribe'>, 'type'>): string | null {
    const name = String(id)
    if (this.#open.has(name)) return `feed ${name} has begun already`
    const open = this.#begin(name, servers ?? serversOf(this.#world), from)
    this.#open.set(name, open)
    this.all.push(open.heard)
    return null
  }

  unsubscribe(id: string | number): string | null {
    const open = this.#open.get(String(id))
    if (open === undefined) return `there is no feed ${id}`
    this.#open.delete(String(id))
    open.heard.state = 'closed'
    open.feed.close()
    open.client.close().catch(this.#failed)
    return null
  }

  /** What there is to be heard, from the beginning, or from as far back as the servers remember. */
  judge(): Heard {
    const state = this.#judge?.heard.state
    if (this.#judge !== null && !(state instanceof FeedError)) return this.#judge.heard
    this.#judge?.client.close().catch(this.#failed)
    this.#judge = this.#begin(JUDGE, serversOf(this.#world), state instanceof FeedError ? state.slot : 1)
    return this.#judge.heard
  }

  records(): FeedRecord[] {
    return this.all.map(({ name, servers, first, events, state }) => ({
      name,
      servers,
      from: first,
      events: events.length,
      last: events.at(-1)?.slot ?? null,
      ended: state instanceof FeedError ? state.code : null,
    }))
  }

  async close(): Promise<void> {
    const all = [...this.#open.values(), ...(this.#judge === null ? [] : [this.#judge])]
    await Promise.all(all.map(({ client }) => client.close()))
  }

  #begin(name: string, servers: readonly number[], from: number | 'now'): Open {
    const client = this.#world.client(servers)
    const feed = client.subscribe(from)
    const heard: Heard = { name, servers, first: from === 'now' ? null : from, events: [], state: 'open' }
    this.#listen(heard, feed).catch(this.#failed)
    return { heard, feed, client }
  }

  async #listen(heard: Heard, feed: Feed<unknown>): Promise<void> {
    feed.started.then(
      (slot) => (heard.first = slot),
      () => undefined, // the reader is told
    )
    try {
      for await (const event of feed) {
        if (heard.state !== 'open') return
        heard.events.push(event)
      }
    } catch (error) {
      if (!(error instanceof FeedError || error instanceof ClientError)) throw error
      if (heard.state === 'open') heard.state = error
    }
  }
}
