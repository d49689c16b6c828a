/** A client's commands without an outcome: those that wait, and those of its sessions, in the order in which they are to be sent. */
import type { Clock } from '../clock.js'
import type { Call } from './call.js'
import { unsend } from './call.js'
import { Pace } from './pace.js'
import type { Session } from './session.js'
import { WaitingRoom } from './waiting-room.js'

export class Calls {
  readonly pace: Pace
  readonly waiting = new WaitingRoom()
  /** By client id: the one of new calls, and forgotten ones as long as they have calls without an outcome. */
  readonly sessions = new Map<string, Session>()
  /** To be sent again at once. */
  #resend: Call[] = []
  /** Those that a server was too busy for: to be sent again when there is room. */
  readonly #refused = new Set<Call>()

  constructor(clock: Clock) {
    this.pace = new Pace(clock)
  }

  get isEmpty(): boolean {
    if (this.waiting.size > 0) return false
    for (const session of this.sessions.values()) if (session.pending.size > 0) return false
    return true
  }

  /** Whether some want to be sent as soon as there is room. */
  get isPressed(): boolean {
    return this.waiting.size > 0 || this.#refused.size > 0
  }

  /** There is another connection: nothing was sent over it yet. */
  linkReady(): void {
    this.pace.linkReady()
    this.#refused.clear()
    for (const { pending } of this.sessions.values()) for (const [, call] of pending.entries()) this.#resend.push(call)
  }

  linkLost(): void {
    this.#resend = []
    for (const { pending } of this.sessions.values()) for (const [, call] of pending.entries()) unsend(call)
  }

  sendAgain(call: Call): void {
    this.#resend.push(call)
  }

  /** A server was too busy for it. */
  refused(call: Call): void {
    call.open--
    call.sentAt = null
    call.isRefused = true
    this.#refused.add(call)
    this.pace.refused(this.#underWay)
  }

  /** @param current the session of new calls */
  forget(call: Call, session: Session | undefined, current: Session): void {
    this.#refused.delete(call)
    if (session === undefined) return this.waiting.delete(call)
    session.remove(call)
    const isOver = session !== current && session.pending.size === 0
    if (isOver && session.clientId !== undefined) this.sessions.delete(session.clientId)
  }

  /** The cluster has forgotten the session: the call, which was surely not executed in it, is to go into another one. */
  moveOut(call: Call, session: Session, current: Session): void {
    this.forget(call, session, current)
    unsend(call)
    this.waiting.add(call)
  }

  /**
   * Takes what is to be sent now, by session: each call once, in the order of their numbers, which those that wait get here.
   *
   * @param current the session of new calls
   */
  take(current: Session): [session: Session, calls: Call[]][] {
    const again = new Set(this.#resend)
    this.#resend = []
    let room = this.pace.window - this.#underWay
    for (const call of this.#refused) {
      if (room-- <= 0) break
      this.#refused.delete(call)
      again.add(call)
    }
    const sorted = [...again].sort((a, b) => a.localId - b.localId)
    const taken: [Session, Call[]][] = []
    for (const session of this.sessions.values()) {
      const calls = sorted.filter((call) => session.pending.get(call.localId) === call)
      if (session === current) this.#number(session, calls, room)
      if (calls.length > 0) taken.push([session, calls])
    }
    return taken
  }

  /** How many were sent, or are to be sent again at once. */
  get #underWay(): number {
    let count = -this.#refused.size
    for (const session of this.sessions.values()) count += session.pending.size
    return count
  }

  /** Gives waiting calls their numbers, as far as there is room. */
  #number(session: Session, calls: Call[], most: number): void {
    let room = most
    for (const call of this.waiting) {
      if (room-- <= 0 || !session.hasRoom()) return
      this.waiting.delete(call)
      session.add(call)
      calls.push(call)
    }
  }
}
