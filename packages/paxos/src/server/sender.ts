/**
 * Gives bytes of this server's snapshots to peers that ask for them. Each peer asks for one piece after the other; a piece is
 * not given before this server had some time for its other work, so one that is busy gives them slowly.
 */
import type { Clock } from '../clock.js'
import type { ServerId } from '../protocol/ballot.js'
import type { Fetch, Piece } from '../protocol/message.js'
import type { SnapshotInfo, Snapshots } from '../storage/snapshots.js'

/** Bytes of one piece. */
export const PIECE_BYTES = 256 << 10
/** After a piece this server rests for as long as that took, but no longer than this (ms): the peer would take it for dead. */
const LONGEST_REST = 200

/** The answer when there is no snapshot. */
const NONE: Piece = { type: 'piece', slot: 0, id: '', maker: 0, size: 0, offset: 0, bytes: new Uint8Array(0) }

/** What the sender needs of its server. */
export interface SenderHost {
  /** Sends a message to a peer soon. */
  send(to: ServerId, message: Piece): void
  /** The server cannot go on. */
  failed(error: unknown): void
}

/** One peer's turn. */
interface Lane {
  /** What it asked for last, unless that was answered. */
  request: Fetch | null
  busy: boolean
  restsUntil: number
  /** What it is being given: it goes on with that when there is a newer one. */
  given: SnapshotInfo | null
}

export class Sender {
  readonly #snapshots: Pick<Snapshots, 'newest' | 'bytes'>
  readonly #clock: Clock
  readonly #host: SenderHost
  readonly #lanes = new Map<ServerId, Lane>()
  /** Those that are being served. */
  readonly #serving = new Set<Promise<void>>()
  #stopped = false

  constructor(snapshots: Pick<Snapshots, 'newest' | 'bytes'>, clock: Clock, host: SenderHost) {
    this.#snapshots = snapshots
    this.#clock = clock
    this.#host = host
  }

  /**
   * A peer asks for a piece. What it asked for before, and was not given yet, it wants no more. Who asks for what lies behind
   * the end has all of it, and only says that it is still at it.
   */
  onFetch(from: ServerId, request: Fetch): void {
    if (this.#stopped) return
    let lane = this.#lanes.get(from)
    if (lane === undefined) this.#lanes.set(from, (lane = { request: null, busy: false, restsUntil: 0, given: null }))
    if (request.offset === this.#find(request, lane)?.size) return
    lane.request = request
    if (lane.busy) return
    lane.busy = true
    const serving = this.#serve(from, lane)
    this.#serving.add(serving)
    void serving.then(() => this.#serving.delete(serving))
  }

  /** Nothing is given any more. Resolves when nothing is read. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#serving)
  }

  async #serve(peer: ServerId, lane: Lane): Promise<void> {
    try {
      while (lane.request !== null && !this.#isOver()) {
        await this.#turn(lane.restsUntil - this.#clock.now())
        const request: Fetch = lane.request
        const began = this.#clock.now()
        const piece = await this.#read(request, lane)
        await this.#turn(0) // the busier this server is, the longer this takes
        if (this.#isOver()) return
        this.#host.send(peer, piece)
        const now = this.#clock.now()
        lane.restsUntil = now + Math.min(now - began, LONGEST_REST)
        if (sameRequest(lane.request, request)) lane.request = null
      }
    } catch (error) {
      this.#host.failed(error)
    } finally {
      lane.busy = false
    }
  }

  #isOver(): boolean {
    return this.#stopped
  }

  #turn(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (ms > 0) this.#clock.after(ms, resolve)
      else this.#clock.defer(resolve)
    })
  }

  /** The bytes that are asked for; if that file is gone, the beginning of the newest one. */
  async #read(request: Fetch, lane: Lane): Promise<Piece> {
    const { newest } = this.#snapshots
    const wanted = this.#find(request, lane)
    if (wanted !== null && request.offset < wanted.size) {
      const piece = await this.#piece(wanted, request.offset)
      lane.given = wanted
      if (piece !== null) return piece
    }
    lane.given = newest
    return (newest === null ? null : await this.#piece(newest, 0)) ?? NONE
  }

  /** The file that is asked for, if it is still there. */
  #find({ id }: Fetch, { given }: Lane): SnapshotInfo | null {
    return [this.#snapshots.newest, given].find((info) => info?.id === id) ?? null
  }

  async #piece({ slot, id, maker, size }: SnapshotInfo, offset: number): Promise<Piece | null> {
    const bytes = await this.#snapshots.bytes(slot, id, offset, PIECE_BYTES)
    return bytes === null ? null : { type: 'piece', slot, id, maker, size, offset, bytes }
  }
}

function sameRequest(a: Fetch | null, b: Fetch): boolean {
  return a !== null && a.id === b.id && a.offset === b.offset
}
