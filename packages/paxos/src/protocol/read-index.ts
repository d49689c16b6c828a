/** The leader's part in reads without the log: it names the index of a server's reads, once its ballot is confirmed. */
import type { ServerId } from './ballot.js'
import type { Slot } from './command.js'
import type { Config } from './config.js'
import { isQuorum } from './config.js'
import type { Outbox } from './outbox.js'

/** How often a leader has named the index of a server's reads: under its lease, or after its ballot was confirmed. */
export interface IndexesNamed {
  readonly underLease: number
  readonly confirmed: number
}

/** A server asked: of its reads, the index; and of the confirmation, that server's vote. */
interface Question {
  readonly from: ServerId
  readonly sequence: number
  readonly index: Slot
}

export class ReadIndex {
  readonly #config: Config
  /** For the next round of confirmation. */
  #waiting: Question[] = []
  #underLease = 0
  #confirmations = 0
  /** Under way: who has confirmed the ballot since its heartbeat left. */
  #round: { readonly heartbeat: number; readonly votes: Set<ServerId>; readonly questions: Question[] } | undefined

  constructor(config: Config) {
    this.#config = config
  }

  /** Whether questions wait for a round, and none is under way. */
  get isDue(): boolean {
    return this.#waiting.length > 0 && this.#round === undefined
  }

  /** So often, since the start of the process. */
  get named(): IndexesNamed {
    return { underLease: this.#underLease, confirmed: this.#confirmations }
  }

  /** A server asks, and the leader has a lease: nothing need be confirmed. */
  tell(question: Question, out: Outbox): void {
    this.#underLease++
    this.#send(question, out)
  }

  /** A server asks for the index of its reads. Its own vote and the leader's may be enough. */
  ask(question: Question, out: Outbox): void {
    if (this.#confirmed(question, new Set())) return this.#answer(question, out)
    this.#waiting = this.#waiting.filter(({ from }) => from !== question.from) // the latest stands for all before it
    this.#waiting.push(question)
  }

  /** A round begins with the heartbeat of this number. */
  begin(heartbeat: number): void {
    this.#round = { heartbeat, votes: new Set(), questions: this.#waiting }
    this.#waiting = []
  }

  /** A server answered the heartbeat of this number, at the leader's ballot. */
  vote(from: ServerId, heartbeat: number, out: Outbox): void {
    const round = this.#round
    if (round === undefined || heartbeat < round.heartbeat) return
    round.votes.add(from)
    const left = round.questions.filter((question) => !this.#confirmed(question, round.votes))
    if (left.length === round.questions.length) return
    for (const question of round.questions) if (!left.includes(question)) this.#answer(question, out)
    this.#round = left.length === 0 ? undefined : { ...round, questions: left }
  }

  /** It leads no more: whoever asked will ask another one. */
  clear(): void {
    this.#waiting = []
    this.#round = undefined
  }

  #confirmed({ from }: Question, votes: ReadonlySet<ServerId>): boolean {
    return isQuorum(this.#config.configuration, new Set([this.#config.id, from, ...votes]))
  }

  #answer(question: Question, out: Outbox): void {
    this.#confirmations++
    this.#send(question, out)
  }

  #send({ from, sequence, index }: Question, out: Outbox): void {
    out.send([from], { type: 'tellIndex', sequence, index })
  }
}
