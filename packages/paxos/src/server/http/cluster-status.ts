/** How all servers stand, as one of them sees it: it asks the others, on behalf of all who look at it. */
import { get } from 'node:http'
import { z } from 'zod'
import type { ServerId } from '../../protocol/ballot.js'
import type { Clock } from '../../clock.js'
import type { ClusterView } from '../../status-page/view.js'
import { serverStatus } from '../../transport/codec.js'
import type { ServerStatus } from '../../transport/wire.js'
import { parseAddress } from '../addresses.js'

/** What a server answers at `/status.json`. */
export interface ClusterStatus {
  /** The server that answers. */
  readonly server: ServerStatus
  /** All servers of the cluster, in id order, this one too. */
  readonly servers: readonly ServerEntry[]
}

/** What a server answers at `/status.json?own`. */
export type OwnStatus = Pick<ClusterStatus, 'server'>

export interface ServerEntry {
  readonly id: ServerId
  /** `host:port` */
  readonly address: string
  /** null: it did not answer. */
  readonly status: ServerStatus | null
  /** Why there is no status: one sentence without its end; null if there is one. */
  readonly error: string | null
  /**
   * How many slots it has still to execute of those that another server has executed already; null if it did not answer.
   * The servers answer at slightly different moments, so under load it is never 0 on all of them.
   */
  readonly lagSlots: number | null
}

/** Where the others are asked, and by whom it is asked for. */
export const STATUS_PATH = '/status.json'
/** A server that has not answered after this time (ms) is told as not answering. */
const PATIENCE = 1_000
/** So long (ms) all who ask get the same answer. */
const SHARED_FOR = 500
/** No status is as long as this (bytes). */
const MAX_ANSWER = 256 << 10

const answer = z.object({ server: serverStatus })

export interface ClusterStatusOptions {
  readonly id: ServerId
  readonly addresses: readonly string[]
  readonly clock: Clock
  /** How this server stands. */
  readonly own: () => ServerStatus
}

export class ClusterStatusSource {
  readonly #options: ClusterStatusOptions
  /** The last answer, also while it is still being made. */
  #shared: { readonly at: number; readonly status: Promise<ClusterView & ClusterStatus> } | null = null
  /** Ends the questions that are under way. */
  readonly #closed = new AbortController()

  constructor(options: ClusterStatusOptions) {
    this.#options = options
  }

  /** Never rejects; takes one second at most. */
  status(): Promise<ClusterStatus> {
    const now = this.#options.clock.now()
    if (this.#shared === null || now - this.#shared.at >= SHARED_FOR) {
      const status = this.#ask().finally(() => (this.#shared = { at: this.#options.clock.now(), status }))
      // Whoever comes while it is being made waits for it, however long that is.
      this.#shared = { at: Infinity, status }
    }
    return this.#shared.status
  }

  close(): void {
    this.#closed.abort()
  }

  async #ask(): Promise<ClusterView & ClusterStatus> {
    const { addresses, id: own } = this.#options
    const answers = await Promise.all(
      addresses.map(async (address, id) => (id === own ? null : this.#askPeer(id, address))),
    )
    const server = this.#options.own()
    const statuses = answers.map((status) => status ?? server)
    const highest = Math.max(...statuses.map((status) => (status instanceof Error ? 0 : status.applied)))
    return {
      server,
      servers: statuses.map((status, id) => {
        const entry = { id, address: addresses[id] ?? '' }
        return status instanceof Error
          ? { ...entry, status: null, error: status.message, lagSlots: null }
          : { ...entry, status, error: null, lagSlots: highest - status.applied }
      }),
    }
  }

  /** The peer's status, or why there is none. */
  async #askPeer(id: ServerId, address: string): Promise<ServerStatus | Error> {
    const late = new AbortController()
    const cancel = this.#options.clock.after(PATIENCE, () => late.abort())
    try {
      const text = await fetchText(address, AbortSignal.any([late.signal, this.#closed.signal]))
      const { server } = answer.parse(JSON.parse(text))
      return server.id === id ? server : new Error(`server ${server.id} answers at ${address}`)
    } catch (error) {
      return new Error(late.signal.aborted ? `it did not answer within ${PATIENCE / 1000} s` : reasonOf(error, address))
    } finally {
      cancel()
    }
  }
}

/** Rejects with what the socket says, and with a RangeError for an answer that is not the one that was asked for. */
function fetchText(address: string, signal: AbortSignal): Promise<string> {
  const { host, port } = parseAddress(address, 'the address of a server')
  return new Promise((resolve, reject) => {
    // A new connection each time: one that was kept could have died meanwhile, and would tell nothing of the server.
    const request = get({ host, port, path: `${STATUS_PATH}?own`, agent: false, signal }, (response) => {
      const chunks: Buffer[] = []
      let bytes = 0
      const isOther = response.statusCode !== 200
      if (isOther) response.destroy(new RangeError(`it answers with the HTTP status ${response.statusCode ?? '?'}`))
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        bytes += chunk.length
        if (bytes > MAX_ANSWER) response.destroy(new RangeError('its answer is too long'))
      })
      response.on('end', () => resolve(Buffer.concat(chunks).toString()))
      response.on('error', reject)
    })
    request.on('error', reject)
  })
}

function reasonOf(error: unknown, address: string): string {
  if (error instanceof RangeError) return error.message
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ECONNREFUSED') return `nobody listens on ${address}`
  return code === '' ? 'it answers with something else than a status' : `it cannot be reached (${code})`
}
