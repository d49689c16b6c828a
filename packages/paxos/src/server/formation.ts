/**
 * How N empty directories become one cluster, and how a server that must not vote is found out (docs/PROTOCOL.md,
 * "Formation"). Pure: what peers say goes in; writes to make, and verdicts, come out.
 *
 * The lowest server mints the cluster's id once all the others answered this start with `empty` or `forming`. Each server
 * joins it durably (`forming`); one that saw that of all N, or `formed` of any one, appends `formed`; only then does it
 * vote. So an empty directory that meets a formed server has lost its votes: it is not let in, unless it was started to be
 * repaired. Then it joins as `repairing`, and the rest is the core's (docs/PROTOCOL.md, "Repair").
 *
 * Only hellos that came over connections that this server dialed itself are heard here: no stranger who connects can stop
 * a server. And nothing is sent to a peer before its hello was heard, so an old copy of a directory is found out before
 * it votes towards a server that remembers it.
 */
import type { ServerId } from '../protocol/ballot.js'
import { SynodError } from '../protocol/error.js'
import type { Formation as FormationState } from '../storage/storage.js'
import type { PeerHello } from '../transport/wire.js'
import {
  beforeRepair,
  misfitOf,
  NOBODY_FORMED,
  nothingToRepair,
  oldCopy,
  tooSmallToRepair,
  wiped,
  wrongAddress,
  wrongCluster,
} from './misfits.js'

/** Who this server is, and what its directory said at the start. */
export interface FormationStart {
  readonly id: ServerId
  readonly count: number
  readonly service: string
  readonly formation: FormationState
  readonly clusterId: string | null
  /** The last durable batch when the directory was opened. */
  readonly batch: number
  /** 32 hexadecimal digits, newly drawn: the cluster's id if this server mints it. */
  readonly mint: string
  /** It was started to be repaired: if its directory is empty, that is because its votes were lost. */
  readonly repair: boolean
}

/** How often a server was repaired, as far as this one knows; itself included. */
export type LifeOf = (server: ServerId) => number

/** What must be written now; {@link FormationMachine.written} is called when it is durable. */
export type FormationWrite = { readonly type: 'form'; readonly clusterId: string } | { readonly type: 'formed' }

/** What a peer's hello means: go on with it, do not talk to it, or end this server. */
export type Verdict =
  | { readonly type: 'accept' }
  | { readonly type: 'refuse'; readonly error: SynodError }
  | { readonly type: 'stop'; readonly error: SynodError }

const ACCEPT: Verdict = { type: 'accept' }

/** The state of one server's formation. */
export class FormationMachine {
  readonly #start: FormationStart
  readonly #lifeOf: LifeOf
  #formation: FormationState
  #clusterId: string | null
  /** The cluster's id, of our directory, or else of the first peer that told one. */
  #known: string | null
  #writing: FormationWrite | null = null
  /** The last that each peer said in this start. */
  readonly #heard = new Map<ServerId, PeerHello>()
  /** Peers that belong to something else. */
  readonly #foreign = new Set<ServerId>()

  /** Throws `NOTHING_TO_REPAIR` if it is to be repaired in a cluster that is too small for that. */
  constructor(start: FormationStart, lifeOf: LifeOf) {
    const tooSmall = start.repair ? tooSmallToRepair(start.count) : null
    if (tooSmall !== null) throw nothingToRepair(tooSmall)
    this.#start = start
    this.#lifeOf = lifeOf
    this.#formation = start.formation
    this.#clusterId = start.clusterId
    this.#known = start.clusterId
  }

  /** Where this server's directory stands, durably: what its hellos say. */
  get formation(): FormationState {
    return this.#formation
  }

  /** The cluster is formed, with this server in it. */
  get takesPart(): boolean {
    return isPart(this.#formation)
  }

  get clusterId(): string | null {
    return this.#clusterId
  }

  /** The peers that this start has not heard a fitting hello from, in id order. */
  missing(): ServerId[] {
    const missing: ServerId[] = []
    for (let id = 0; id < this.#start.count; id++) {
      if (id !== this.#start.id && (!this.#heard.has(id) || this.#foreign.has(id))) missing.push(id)
    }
    return missing
  }

  /** A peer that this server dialed as `peer` said this. */
  hear(peer: ServerId, hello: PeerHello): Verdict {
    const error = hello.from === peer ? this.mismatch(hello) : wrongAddress(peer, `is answered by server ${hello.from}`)
    if (error !== null) return this.#disagree(peer, error)
    const remembered = this.#remembers(peer, hello)
    if (remembered !== null) return { type: 'stop', error: remembered }
    this.#heard.set(peer, hello)
    this.#foreign.delete(peer)
    this.#known ??= hello.clusterId
    if (this.#isInVain()) return { type: 'stop', error: nothingToRepair(NOBODY_FORMED) }
    const lost = this.#lost(hello)
    return lost === null ? ACCEPT : { type: 'refuse', error: lost }
  }

  /** Whether a server that says this stands before a repair of it that is known here: nothing that it says counts. */
  outdated({ from, formation, life }: PeerHello): boolean {
    return formation !== 'empty' && formation !== 'repairing' && life < this.#lifeOf(from)
  }

  /** Why a hello, from a connection of either direction, cannot come from a peer of this server's; null if it can. */
  mismatch(hello: PeerHello): SynodError | null {
    const misfit = misfitOf(hello, this.#start)
    if (misfit !== null) return misfit
    if (this.#known !== null && hello.clusterId !== null && hello.clusterId !== this.#known) {
      return wrongCluster(hello, this.#known, this.#clusterId === null ? 'another peer' : "this server's directory")
    }
    return null
  }

  /** What must be written now; null if nothing, or while a write is under way. */
  next(): FormationWrite | null {
    if (this.#writing !== null) return null
    this.#writing = this.#formation === 'empty' ? this.#join() : this.#formation === 'forming' ? this.#complete() : null
    return this.#writing
  }

  /** What {@link next} asked for is durable. */
  written(): void {
    if (this.#writing === null) throw new Error('nothing was being written')
    if (this.#writing.type === 'form') {
      this.#formation = this.#start.repair ? 'repairing' : 'forming'
      this.#clusterId = this.#writing.clusterId
    } else {
      this.#formation = 'formed'
    }
    this.#writing = null
  }

  /** The repair has ended, durably: this server votes again. */
  repaired(): void {
    this.#formation = 'formed'
  }

  /** A directory whose votes are lost: wiped, or put back from an old copy. One that is being repaired claims none. */
  #remembers(peer: ServerId, hello: PeerHello): SynodError | null {
    if (this.#formation === 'repairing') return null
    if (this.#formation === 'empty') {
      const known = isPart(hello.formation) || hello.batchSeen > 0 || hello.lifeSeen > 0
      return known && !this.#start.repair ? wiped(this.#start, hello) : null
    }
    return this.#oldCopy(peer, hello)
  }

  #oldCopy(peer: ServerId, hello: PeerHello): SynodError | null {
    const { id, batch } = this.#start
    const life = this.#lifeOf(id)
    if (hello.lifeSeen > life) return beforeRepair(this.#start, hello, life)
    // Only a peer's first hello counts: it was said before this start sent anything to it.
    if (hello.lifeSeen < life || hello.batchSeen <= batch || this.#heard.has(peer)) return null
    return oldCopy(this.#start, hello)
  }

  /** Why a server of this cluster's has lost its votes, and must end when it hears this one's hello; null if it has not. */
  #lost(hello: PeerHello): SynodError | null {
    const peer = hello.from
    if (this.takesPart && hello.formation === 'empty' && !hello.repair) {
      return new SynodError('WIPED', `server ${peer} has an empty directory, but the cluster is formed`, { peer })
    }
    if (!this.outdated(hello)) return null
    return new SynodError('OLD_COPY', `server ${peer} has a directory from before its last repair`, { peer })
  }

  /** To be repaired, and all the others are as new: their answers are of this start. */
  #isInVain(): boolean {
    if (!this.#start.repair || this.#formation !== 'empty' || this.#heard.size < this.#start.count - 1) return false
    return this.#formed() === null
  }

  /** The cluster of which a peer said that it is formed; null if none did. */
  #formed(): string | null {
    for (const hello of this.#heard.values()) if (isPart(hello.formation)) return hello.clusterId
    return null
  }

  /**
   * A peer that does not fit: while not formed, all are needed, so this server ends. A formed one goes on without that
   * peer, unless those that may still fit are no majority, and none has agreed with it in this start.
   */
  #disagree(peer: ServerId, error: SynodError): Verdict {
    this.#foreign.add(peer)
    const { count } = this.#start
    const hopeless = !this.takesPart || (this.#heard.size === 0 && (count - this.#foreign.size) * 2 <= count)
    return { type: hopeless ? 'stop' : 'refuse', error }
  }

  /**
   * From empty to forming: once all others answered. (None of them is formed: see {@link #remembers}.) Not with one that is
   * to be repaired: it was in a cluster already. To be repaired itself: into the cluster of the first one that is formed.
   */
  #join(): FormationWrite | null {
    if (this.#start.repair) {
      const clusterId = this.#formed()
      return clusterId === null ? null : { type: 'form', clusterId }
    }
    if (this.#heard.size < this.#start.count - 1) return null
    for (const { formation, repair } of this.#heard.values()) if (formation === 'empty' && repair) return null
    if (this.#known !== null) return { type: 'form', clusterId: this.#known }
    return this.#start.id === 0 ? { type: 'form', clusterId: this.#start.mint } : null
  }

  /** From forming to formed: once all were seen forming, or one was seen that is or was formed (it saw all of them forming). */
  #complete(): FormationWrite | null {
    let joined = 1
    for (const hello of this.#heard.values()) {
      if (hello.clusterId !== this.#clusterId) continue
      if (isPart(hello.formation)) return { type: 'formed' }
      if (hello.formation === 'forming') joined++
    }
    return joined === this.#start.count ? { type: 'formed' } : null
  }
}

/** Formed, or of a formed cluster and under repair. */
function isPart(formation: FormationState): boolean {
  return formation === 'formed' || formation === 'repairing'
}
