/**
 * How N empty directories become one cluster, and how a server that must not vote is found out (docs/PROTOCOL.md,
 * "Formation"). Pure: what peers say goes in; writes to make, and verdicts, come out.
 *
 * The lowest server mints the cluster's id once all the others answered this start with `empty` or `forming`. Each server
 * joins it durably (`forming`); one that saw that of all N, or `formed` of any one, appends `formed`; only then does it
 * vote. So an empty directory that meets a formed server has lost its votes: it is never let in again.
 *
 * Only hellos that came over connections that this server dialed itself are heard here: no stranger who connects can stop
 * a server. And nothing is sent to a peer before its hello was heard, so an old copy of a directory is found out before
 * it votes towards a server that remembers it.
 */
import type { ServerId } from '../protocol/ballot.js'
import { SynodError } from '../protocol/error.js'
import type { Formation as FormationState } from '../storage/storage.js'
import type { PeerHello } from '../transport/wire.js'
import { WIRE_VERSION } from '../transport/wire.js'

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
}

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
  #formation: FormationState
  #clusterId: string | null
  /** The cluster's id, of our directory, or else of the first peer that told one. */
  #known: string | null
  #writing: FormationWrite | null = null
  /** The last that each peer said in this start. */
  readonly #heard = new Map<ServerId, PeerHello>()
  /** Peers that belong to something else. */
  readonly #foreign = new Set<ServerId>()

  constructor(start: FormationStart) {
    this.#start = start
    this.#formation = start.formation
    this.#clusterId = start.clusterId
    this.#known = start.clusterId
  }

  /** Where this server's directory stands, durably: what its hellos say. */
  get formation(): FormationState {
    return this.#formation
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
    if (this.#formation === 'formed' && hello.formation === 'empty') {
      return {
        type: 'refuse',
        error: new SynodError('WIPED', `server ${peer} has an empty directory, but the cluster is formed`, { peer }),
      }
    }
    return ACCEPT
  }

  /** Why a hello, from a connection of either direction, cannot come from a peer of this server's; null if it can. */
  mismatch(hello: PeerHello): SynodError | null {
    const { id, count, service } = this.#start
    const peer = hello.from
    if (hello.version !== WIRE_VERSION) {
      return new SynodError(
        'WRONG_VERSION',
        `server ${peer} speaks version ${hello.version} of the protocol, this one speaks version ${WIRE_VERSION}: run the same release on all`,
        { peer, theirs: hello.version, ours: WIRE_VERSION },
      )
    }
    if (hello.service !== service) {
      return new SynodError(
        'WRONG_SERVICE',
        `server ${peer} serves "${hello.service}", this one "${service}": check the addresses`,
        {
          peer,
          theirs: hello.service,
          ours: service,
        },
      )
    }
    if (hello.count !== count) {
      return new SynodError(
        'WRONG_COUNT',
        `server ${peer} belongs to a cluster of ${hello.count} servers, this one was started for ${count}: start all with the same --count`,
        { peer, theirs: hello.count, ours: count },
      )
    }
    if (peer === id || peer >= count)
      return wrongAddress(peer, `says that it is server ${peer}, to server ${id} of ${count}`)
    if (hello.to !== id) return wrongAddress(peer, `takes this server, ${id}, for server ${hello.to}`)
    if (this.#known !== null && hello.clusterId !== null && hello.clusterId !== this.#known) {
      const ours = this.#clusterId === null ? 'another peer' : "this server's directory"
      return new SynodError(
        'WRONG_CLUSTER',
        `server ${peer} belongs to cluster ${hello.clusterId}, ${ours} to ${this.#known}: check the data directories and addresses`,
        { peer, theirs: hello.clusterId, ours: this.#known },
      )
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
      this.#formation = 'forming'
      this.#clusterId = this.#writing.clusterId
    } else {
      this.#formation = 'formed'
    }
    this.#writing = null
  }

  /** A directory with votes in it that are lost: wiped, or put back from an old copy. */
  #remembers(peer: ServerId, hello: PeerHello): SynodError | null {
    const { id, batch } = this.#start
    if (this.#formation === 'empty' && (hello.formation === 'formed' || hello.batchSeen > 0)) {
      return new SynodError(
        'WIPED',
        `this directory is empty, but server ${peer} says that cluster ${hello.clusterId ?? ''} is formed, with server ${id} in it: ` +
          'the votes that it had given are lost, and without them it must not serve; put its directory back',
        { peer, clusterId: hello.clusterId },
      )
    }
    // Only a peer's first hello counts: it was said before this start sent anything to it.
    if (!this.#heard.has(peer) && hello.batchSeen > batch) {
      return new SynodError(
        'OLD_COPY',
        `this directory ends at batch ${batch}, but server ${peer} has heard of batch ${hello.batchSeen} of server ${id}: ` +
          'it is an old copy, without votes that were given since, and must not serve; put the newest one back',
        { peer, batch, batchSeen: hello.batchSeen },
      )
    }
    return null
  }

  /**
   * A peer that does not fit: while not formed, all are needed, so this server ends. A formed one goes on without that
   * peer, unless those that may still fit are no majority, and none has agreed with it in this start.
   */
  #disagree(peer: ServerId, error: SynodError): Verdict {
    this.#foreign.add(peer)
    const { count } = this.#start
    const hopeless =
      this.#formation !== 'formed' || (this.#heard.size === 0 && (count - this.#foreign.size) * 2 <= count)
    return { type: hopeless ? 'stop' : 'refuse', error }
  }

  /** From empty to forming: once all others answered. (None of them is formed: see {@link #remembers}.) */
  #join(): FormationWrite | null {
    if (this.#heard.size < this.#start.count - 1) return null
    if (this.#known !== null) return { type: 'form', clusterId: this.#known }
    return this.#start.id === 0 ? { type: 'form', clusterId: this.#start.mint } : null
  }

  /** From forming to formed: once all were seen forming, or one was seen formed (it saw all of them forming). */
  #complete(): FormationWrite | null {
    let joined = 1
    for (const hello of this.#heard.values()) {
      if (hello.clusterId !== this.#clusterId) continue
      if (hello.formation === 'formed') return { type: 'formed' }
      if (hello.formation === 'forming') joined++
    }
    return joined === this.#start.count ? { type: 'formed' } : null
  }
}

function wrongAddress(peer: ServerId, what: string): SynodError {
  return new SynodError('WRONG_ADDRESS', `the address of server ${peer} ${what}: check the addresses`, { peer })
}
