/** Compares all servers at one slot: has a mark decided, and asks each server what it came to there. */
import { Buffer } from 'node:buffer'
import type { AuditMark } from '../protocol/audit.js'
import type { Slot } from '../protocol/command.js'
import type { Clock } from '../clock.js'
import type { StateDigest } from '../transport/wire.js'
import { compare, mostCommonChain } from './comparison.js'
import type { Testimony, Verification } from './comparison.js'
import { ClientError } from './error.js'
import type { Inquiry } from './inquiry.js'
import { ATTEMPT_TIMEOUT, spread } from './patience.js'

/** A server that lags is asked so often (ms) whether it has come to the mark. */
const POLL = 100
/** Between two rounds of servers none of which could have a mark decided (ms). */
const ROUND_WAIT = 200

export interface VerifyOptions {
  /** Addresses of servers. */
  readonly servers: readonly string[]
  /** Whether the others are learnt from the one that has the mark decided. */
  readonly discover: boolean
  /** For all of it (ms). */
  readonly timeout: number
}

/** Where a mark was decided, and what the server that told of it says of the cluster. */
interface Mark {
  readonly slot: Slot
  /** The addresses of all servers, in id order. */
  readonly addresses: readonly string[]
}

export class Verifier {
  readonly #options: VerifyOptions
  readonly #clock: Clock
  readonly #inquire: (address: string, timeout: number) => Inquiry
  /** ms of the clock */
  readonly #deadline: number

  /** @param inquire connects to a server; the time is for each of its answers (ms) */
  constructor(options: VerifyOptions, clock: Clock, inquire: (address: string, timeout: number) => Inquiry) {
    this.#options = options
    this.#clock = clock
    this.#inquire = inquire
    this.#deadline = clock.now() + options.timeout
  }

  /** Rejects with ClientError if no mark could be decided in time. */
  async verify(): Promise<Verification> {
    const { servers, discover } = this.#options
    const mark = await this.#mark()
    const asked = [...new Set([...servers, ...(discover ? mark.addresses : [])])]
    const inquiries = new Map(asked.map((address) => [address, this.#inquire(address, this.#left)]))
    try {
      const told = await Promise.all(
        [...inquiries].map(([address, inquiry]) => this.#testimony(address, inquiry, mark.slot)),
      )
      const testimonies = discover && mark.addresses.length > 0 ? byServer(told, mark.addresses) : told
      return compare(mark.slot, testimonies, await this.#chains(testimonies, inquiries))
    } finally {
      for (const inquiry of inquiries.values()) void inquiry.close('answered')
    }
  }

  /** Tries one server after the other. */
  async #mark(): Promise<Mark> {
    const { servers } = this.#options
    const nonce = Buffer.from(this.#clock.random(16)).toString('hex')
    let misfits = 0
    for (let turn = 0; ; turn++) {
      const address = servers[turn % servers.length] ?? ''
      const inquiry = this.#inquire(address, Math.min(this.#left, ATTEMPT_TIMEOUT))
      try {
        const slot = await inquiry.mark(nonce)
        return { slot, addresses: inquiry.welcome?.servers ?? [] }
      } catch (error) {
        if (!(error instanceof ClientError) || error.code === 'CLOSED') throw error
        misfits = error.code === 'INCOMPATIBLE' ? misfits + 1 : 0
        if (misfits >= servers.length) throw error
        if (this.#clock.now() + ROUND_WAIT >= this.#deadline)
          throw new ClientError(
            error.code,
            `no server could have a mark decided in time (the last try: ${error.message})`,
          )
        if ((turn + 1) % servers.length === 0) await this.#pause(spread(this.#clock, ROUND_WAIT))
      } finally {
        void inquiry.close('answered')
      }
    }
  }

  async #testimony(address: string, inquiry: Inquiry, slot: Slot): Promise<Testimony> {
    try {
      const digest = await this.#digest(address, inquiry, slot)
      return { address, server: inquiry.welcome?.server ?? null, digest, error: null }
    } catch (error) {
      if (!(error instanceof ClientError) || error.code === 'CLOSED') throw error
      return { address, server: inquiry.welcome?.server ?? null, digest: null, error }
    }
  }

  async #digest(address: string, inquiry: Inquiry, slot: Slot): Promise<StateDigest> {
    for (;;) {
      const { applied } = await inquiry.status()
      if (applied >= slot) break
      if (this.#clock.now() + POLL >= this.#deadline)
        throw new ClientError('TIMEOUT', `${address}: it has come to slot ${applied} only, in time`)
      await this.#pause(POLL)
    }
    const digest = await inquiry.digest(slot, this.#left)
    if (digest !== null) return digest
    const why = 'it was started, or brought up by a snapshot, behind this slot'
    throw new ClientError('UNAVAILABLE', `${address}: it does not know its state at slot ${slot}: ${why}`)
  }

  /** The marks of histories, if there are several; of those servers that tell them. */
  async #chains(
    testimonies: readonly Testimony[],
    inquiries: ReadonlyMap<string, Inquiry>,
  ): Promise<Map<string, readonly AuditMark[]>> {
    const chains = new Map<string, readonly AuditMark[]>()
    const common = mostCommonChain(testimonies)
    if (testimonies.every(({ digest }) => digest === null || digest.chain === common)) return chains
    await Promise.all(
      testimonies.map(async ({ address, digest }) => {
        if (digest === null) return
        const marks = await inquiries
          .get(address)
          ?.chain()
          .catch(() => undefined)
        if (marks !== undefined) chains.set(address, marks)
      }),
    )
    return chains
  }

  /** ms until the deadline; 1 at least. */
  get #left(): number {
    return Math.max(1, this.#deadline - this.#clock.now())
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(ms, resolve)
    })
  }
}

/** One testimony for each server: by whichever address it was reached; or the failure at the address that the servers tell. */
function byServer(told: readonly Testimony[], addresses: readonly string[]): Testimony[] {
  return addresses.map((address, id) => {
    const own = told.filter(({ server }) => server === id)
    const reached = own.find(({ digest }) => digest !== null) ?? own[0]
    const failed = told.find((other) => other.address === address && other.server === null)
    const error = new ClientError('UNAVAILABLE', `${address}: another server answers there`)
    return reached ?? failed ?? { address, server: null, digest: null, error }
  })
}
