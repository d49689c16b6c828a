/**
 * How a server that lost its votes gets a memory again that no quorum can tell from the one that it lost
 * (docs/PROTOCOL.md, "Repair", has the rule and why it holds). Until it is done, its acceptor is silent.
 */
import type { Ballot, ServerId } from './ballot.js'
import { BOTTOM, compareBallots, higher } from './ballot.js'
import type { Command, Run, Slot } from './command.js'
import type { Config } from './config.js'
import { isQuorum } from './config.js'
import type { LivesKnown } from './lives.js'
import type { Revived, TellLife } from './message.js'
import type { Outbox } from './outbox.js'
import { Reports } from './reports.js'

/** What the others told. */
export interface Remembered {
  /** The new life. */
  readonly life: number
  /** The highest ballot that any of them has adopted. */
  readonly ballot: Ballot
  /** What they have accepted in slots that are not decided, each at its highest ballot; in the order of the ballots. */
  readonly runs: readonly Run[]
  /** All slots below it are decided; `decidedBy` knows them. */
  readonly decided: Slot
  readonly decidedBy: ServerId
}

export class Repair {
  readonly #config: Config
  readonly #lives: LivesKnown
  readonly #others: readonly ServerId[]
  /** First: the life that each of the others knows. */
  readonly #known = new Map<ServerId, number>()
  /** Then: the new life; 0 before it is chosen. */
  #life = 0
  /** What the others remember, told to that life. Like those to a scout, answers count only together with none that outlives them. */
  #reports: Reports | undefined
  readonly #pvalues = new Map<Slot, { ballot: Ballot; command: Command }>()
  #ballot = BOTTOM
  #decided: Slot = 1
  #decidedBy: ServerId
  #remembered: Remembered | undefined
  #askedAt = -Infinity

  /** @param lives what this server knows, its own life included; it learns more */
  constructor(config: Config, lives: LivesKnown) {
    this.#config = config
    this.#lives = lives
    this.#others = config.configuration.servers.filter((server) => server !== config.id)
    this.#decidedBy = this.#others[0] ?? config.id
  }

  /** What the others told, once a majority of them has told all. */
  get remembered(): Remembered | undefined {
    return this.#remembered
  }

  /** Asks, again and again, those that have not answered. */
  tick(now: number, out: Outbox): void {
    if (now - this.#askedAt < this.#config.timing.resend) return
    this.#askedAt = now
    this.#ask(out)
  }

  /** A server told which life of this one it knows: the new one is above the highest that a majority knows. */
  tellLife(from: ServerId, { life }: TellLife, out: Outbox): void {
    if (this.#life > 0 && life <= this.#life) return // an answer that was late
    if (this.#life > 0) this.#begin() // somebody knows a later one than that which was chosen
    this.#known.set(from, Math.max(life, this.#known.get(from) ?? 0))
    if (!isQuorum(this.#config.configuration, new Set(this.#known.keys()))) return
    const { id } = this.#config
    // An attempt that is cut off leaves no trace of a life that this server itself forgets, unless its directory goes too.
    this.#life = Math.max(this.#lives.of(id), ...this.#known.values()) + 1
    this.#lives.raise(id, this.#life)
    out.record({ type: 'lives', lives: this.#lives.told })
    this.#reports = new Reports(this.#config.configuration, this.#others, 1)
    this.#ask(out)
  }

  /** A server has noted the new life, and tells a chunk of what it has accepted. */
  revived(from: ServerId, message: Revived, out: Outbox): void {
    if (message.life !== this.#life || this.#reports?.take(from, message) !== true) return
    for (const run of message.accepted) this.#keep(run)
    this.#ballot = higher(this.#ballot, message.ballot)
    this.#lives.merge(message.lives)
    if (message.decided > this.#decided) [this.#decided, this.#decidedBy] = [message.decided, from]
    if (message.next !== null) out.sendAfterSync(from, { type: 'revive', life: this.#life, from: message.next })
    if (this.#reports.isQuorum) this.#remembered ??= this.#remember()
  }

  #begin(): void {
    this.#life = 0
    this.#known.clear()
    this.#reports = undefined
    this.#remembered = undefined
  }

  #ask(out: Outbox): void {
    if (this.#reports === undefined) return out.send(this.#others, { type: 'askLife' })
    for (const [server, from] of this.#reports.asked())
      out.sendAfterSync(server, { type: 'revive', life: this.#life, from })
  }

  #keep({ ballot, first, commands }: Run): void {
    commands.forEach((command, index) => {
      const known = this.#pvalues.get(first + index)
      if (known === undefined || compareBallots(ballot, known.ballot) > 0)
        this.#pvalues.set(first + index, { ballot, command })
    })
  }

  #remember(): Remembered {
    const slots = [...this.#pvalues].filter(([slot]) => slot >= this.#decided).sort(([a], [b]) => a - b)
    const runs = slots.map(([first, { ballot, command }]) => ({ ballot, first, commands: [command] }))
    runs.sort((a, b) => compareBallots(a.ballot, b.ballot)) // stable: within a ballot by slot
    return {
      life: this.#life,
      ballot: this.#ballot,
      runs,
      decided: this.#decided,
      decidedBy: this.#decidedBy,
    }
  }
}
