/**
 * Which commands were durable on how many servers when they were answered. Commands are known by tokens in their values,
 * which stand in the log as they are.
 */
import { decodeServerFrame } from '@synod/paxos/internal/transport/codec'

const TOKEN = /token \d+\.\d+;/g

/** What a client's command has in its value. */
export function tokenOf(client: number, localId: number): string {
  return `token ${client}.${localId};`
}

export class Ledger {
  /** The servers that have a command, by its token. */
  readonly #durable = new Map<string, Set<number>>()
  /** Tokens, by session and number. */
  readonly #commands = new Map<string, string>()
  /** Of each command that was acknowledged: on how many servers it was durable then. */
  readonly #acknowledged = new Map<string, number>()

  /** The command of this session and number has this token. */
  sent(clientId: string, localId: number, token: string): void {
    this.#commands.set(`${clientId} ${localId}`, token)
  }

  /** These bytes are in the server's log, and on its disk. */
  durable(server: number, bytes: Uint8Array): void {
    for (const [token] of Buffer.from(bytes).toString('latin1').matchAll(TOKEN)) {
      const servers = this.#durable.get(token) ?? new Set()
      this.#durable.set(token, servers.add(server))
    }
  }

  /** A server sends this frame, to whomever. */
  leaves(frame: Uint8Array): void {
    const decoded = serverFrame(frame)
    if (decoded?.type !== 'replies') return
    for (const { clientId, localId, result } of decoded.replies) {
      const token = this.#commands.get(`${clientId} ${localId}`)
      if (token === undefined || result.status !== 'ok' || this.#acknowledged.has(token)) continue
      this.#acknowledged.set(token, this.#durable.get(token)?.size ?? 0)
    }
  }

  /** The commands that were acknowledged. */
  get acknowledged(): number {
    return this.#acknowledged.size
  }

  /** How many of those were durable on fewer servers than `majority` when they were, and one of them. */
  tooEarly(majority: number): { count: number; example: string } {
    const early = [...this.#acknowledged].filter(([, servers]) => servers < majority)
    const [first] = early
    return { count: early.length, example: first === undefined ? 'none' : `${first[0]} was on ${first[1]} disks` }
  }
}

/** null: it is none that goes to a client. */
function serverFrame(bytes: Uint8Array): ReturnType<typeof decodeServerFrame> | null {
  try {
    return decodeServerFrame(bytes)
  } catch {
    return null
  }
}
