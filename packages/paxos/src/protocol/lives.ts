/**
 * Lives: how often each server was repaired after it had lost its votes, and which answers of acceptors count together
 * (docs/PROTOCOL.md, "Repair").
 */
import type { ServerId } from './ballot.js'
import type { Configuration } from './config.js'
import { isQuorum } from './config.js'
import type { Lives } from './message.js'

/** What one server knows of all servers' lives, its own among them. They only grow. */
export class LivesKnown {
  #lives: Lives = []

  /** As it is told to others. */
  get told(): Lives {
    return this.#lives
  }

  of(server: ServerId): number {
    return lifeIn(this.#lives, server)
  }

  /** The server is in this life, or a later one. True if that is news. */
  raise(server: ServerId, life: number): boolean {
    if (life <= this.of(server)) return false
    const lives = Array.from({ length: Math.max(this.#lives.length, server + 1) }, (_, other) => this.of(other))
    lives[server] = life
    this.#lives = lives
    return true
  }

  /** Takes over what another server knows. True if there was any news. */
  merge(lives: Lives): boolean {
    let news = false
    for (const [server, life] of lives.entries()) if (this.raise(server, life)) news = true
    return news
  }
}

/** The answers of acceptors to one scout, or to one commander. */
export class Answers {
  readonly #lives = new Map<ServerId, Lives>()

  has(server: ServerId): boolean {
    return this.#lives.has(server)
  }

  /** An answer, and the lives that it names. One of a former life than the one that is there already is not taken. */
  add(from: ServerId, lives: Lives): void {
    const known = this.#lives.get(from)
    if (known === undefined || lifeIn(lives, from) >= lifeIn(known, from)) this.#lives.set(from, lives)
  }

  drop(server: ServerId): void {
    this.#lives.delete(server)
  }

  /** Servers whose answers do not count: they are of a life before one that another answer names. */
  outlived(): ServerId[] {
    const outlived: ServerId[] = []
    for (const [server, lives] of this.#lives) {
      const life = lifeIn(lives, server)
      for (const others of this.#lives.values()) {
        if (lifeIn(others, server) <= life) continue
        outlived.push(server)
        break
      }
    }
    return outlived
  }

  /** Whether those that count are a majority. */
  isQuorum(configuration: Configuration): boolean {
    if (this.#lives.size * 2 <= configuration.servers.length) return false
    const counted = new Set(this.#lives.keys())
    for (const server of this.outlived()) counted.delete(server)
    return isQuorum(configuration, counted)
  }
}

function lifeIn(lives: Lives, server: ServerId): number {
  return lives[server] ?? 0
}
