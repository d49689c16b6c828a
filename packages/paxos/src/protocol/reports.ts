/** What acceptors tell in chunks: to a scout, and to a server that is repaired. */
import type { ServerId } from './ballot.js'
import type { Slot } from './command.js'
import type { Configuration } from './config.js'
import { Answers } from './lives.js'
import type { Lives } from './message.js'

/** The part of a p1b, or of a revived, that says where in its sender's report it stands. */
interface Chunk {
  readonly from: Slot
  /** Where the next chunk begins; null after the last. */
  readonly next: Slot | null
  readonly lives: Lives
}

export class Reports {
  readonly #configuration: Configuration
  readonly #from: Slot
  /** From which slot on each is to tell next; null when it has told all. */
  readonly #next = new Map<ServerId, Slot | null>()
  /** The life that each has begun to tell in. */
  readonly #lives = new Map<ServerId, number>()
  readonly #told = new Answers()

  /** @param from the first slot that is to be told of; @param servers those that are asked */
  constructor(configuration: Configuration, servers: readonly ServerId[], from: Slot) {
    this.#configuration = configuration
    this.#from = from
    for (const server of servers) this.#next.set(server, from)
  }

  /** Whether those that have told all, in lives that nobody else calls over, are a majority. */
  get isQuorum(): boolean {
    return this.#told.isQuorum(this.#configuration)
  }

  /** Those that have not told all, and from which slot on they are to. */
  *asked(): Iterable<readonly [server: ServerId, from: Slot]> {
    for (const [server, next] of this.#next) if (next !== null) yield [server, next]
  }

  /** A chunk came. False if it is not the next one of this server's. */
  take(server: ServerId, { from, next, lives }: Chunk): boolean {
    if (this.#next.get(server) !== from) return false
    const life = lives[server] ?? 0
    const begun = this.#lives.get(server)
    this.#lives.set(server, life)
    if (begun !== undefined && begun !== life && from !== this.#from) {
      this.#again(server) // it was repaired amid its report: what it told first is not its any more
      return false
    }
    this.#next.set(server, next)
    if (next !== null) return true
    this.#told.add(server, lives)
    for (const outlived of this.#told.outlived()) this.#again(outlived)
    return true
  }

  /** It has to tell all of it, in its new life. */
  #again(server: ServerId): void {
    this.#told.drop(server)
    this.#next.set(server, this.#from)
  }
}
