/**
 * What comes of two chains that differ at one slot: whoever differs from a majority stops, and where no majority has one
 * chain, everybody who learns of it does.
 */
import type { AuditMark, Chain } from './audit.js'
import type { ServerId } from './ballot.js'
import type { Slot } from './command.js'
import type { Config } from './config.js'
import { isQuorum } from './config.js'
import { SynodError } from './error.js'
import type { AskAudit, TellAudit } from './message.js'
import type { Outbox } from './outbox.js'

/** Why a server stops, and what to do about it. */
const MINORITY =
  'a majority of the servers has another one: what it executed cannot be believed; check its memory and disk, empty its ' +
  'directory, and have it rebuilt from the others with --repair'
const NO_MAJORITY =
  'no majority of the servers has the same one: nobody can tell which is right; start those that are down, and if they do ' +
  'not make a majority, keep a copy of all directories, and make a new cluster of a back-up (synod-log restore)'

/** So many election timeouts a server waits for the others' answers. */
const PATIENCE = 8

interface Inquiry {
  readonly slot: Slot
  /** Of this server, at that slot. */
  readonly own: string
  readonly hashes: Map<ServerId, string>
  readonly deadline: number
  askedAt: number
}

export class Auditor {
  readonly #config: Config
  readonly #chain: Chain
  #inquiry: Inquiry | undefined

  constructor(config: Config, chain: Chain) {
    this.#config = config
    this.#chain = chain
  }

  /** A server told the end of a block. Throws SynodError `DIVERGED`, as all of these. */
  compare(from: ServerId, { slot, hash }: AuditMark, now: number, out: Outbox): void {
    if (slot === 0) return
    if (this.#inquiry !== undefined) return this.#note(this.#inquiry, from, slot, hash)
    const own = this.#chain.at(slot)
    if (own === null || own === hash) return
    const { id, timing } = this.#config
    const hashes = new Map([
      [id, own],
      [from, hash],
    ])
    this.#inquiry = { slot, own, hashes, deadline: now + PATIENCE * timing.election, askedAt: now }
    this.#ask(this.#inquiry, now, out)
    this.#judge()
  }

  /** Another server learnt of a difference. */
  ask(from: ServerId, { slot }: AskAudit, out: Outbox): void {
    const hash = this.#chain.at(slot)
    out.send([from], { type: 'tellAudit', ...(hash === null ? this.#chain.block : { slot, hash }) })
  }

  /** An answer. */
  tell(from: ServerId, { slot, hash }: TellAudit): void {
    if (this.#inquiry !== undefined) this.#note(this.#inquiry, from, slot, hash)
  }

  tick(now: number, out: Outbox): void {
    if (this.#inquiry === undefined) return
    if (now >= this.#inquiry.deadline) throw this.#diverged(NO_MAJORITY)
    if (now - this.#inquiry.askedAt >= this.#config.timing.resend) this.#ask(this.#inquiry, now, out)
  }

  /** Whose chain is like this server's at a later slot, it was so before: that is what makes it a chain. */
  #note({ slot, own, hashes }: Inquiry, from: ServerId, told: Slot, hash: string): void {
    if (told === slot) hashes.set(from, hash)
    else if (told > slot && this.#chain.at(told) === hash) hashes.set(from, own)
    else return
    this.#judge()
  }

  #ask(inquiry: Inquiry, now: number, out: Outbox): void {
    inquiry.askedAt = now
    const { id, configuration } = this.#config
    const others = configuration.servers.filter((server) => server !== id)
    out.send(others, { type: 'askAudit', slot: inquiry.slot })
  }

  #judge(): void {
    if (this.#inquiry === undefined) return
    const { hashes } = this.#inquiry
    for (const hash of new Set(hashes.values())) {
      const alike = new Set([...hashes].filter(([, other]) => other === hash).map(([server]) => server))
      if (!isQuorum(this.#config.configuration, alike)) continue
      if (!alike.has(this.#config.id)) throw this.#diverged(MINORITY)
      this.#inquiry = undefined // whoever differs stops
      return
    }
  }

  #diverged(why: string): SynodError {
    const { slot = 0, hashes = new Map<ServerId, string>() } = this.#inquiry ?? {}
    const told = [...hashes].map(([server, hash]) => `server ${server}: ${hash}`).join(', ')
    return new SynodError(
      'DIVERGED',
      `this server's history differs from that of others at or before slot ${slot} (${told}), and ${why}`,
      { slot, hashes: Object.fromEntries(hashes) },
    )
  }
}
