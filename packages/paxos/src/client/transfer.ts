/** Has the leader hand its leadership over to a server that is named: the leader is found first. */
import type { ServerId } from '../protocol/ballot.js'
import { ClientError } from './error.js'
import type { Inquiry } from './inquiry.js'

/** A server that does not say for this long (ms) who leads is not waited for. */
const PATIENCE = 2_000

/** What one server says of the leader. */
interface Word {
  /** The round of the ballot that it follows. */
  readonly round: number
  readonly address: string
}

export interface TransferOptions {
  /** Addresses. */
  readonly servers: readonly string[]
  /** Whether other addresses than these may be used. */
  readonly discover: boolean
  /** Of the handing over (ms). */
  readonly timeout: number
}

/** @param inquire opens a connection, with a timeout for each answer */
export async function transfer(
  { servers, discover, timeout }: TransferOptions,
  inquire: (address: string, timeout: number) => Inquiry,
  to: ServerId,
): Promise<void> {
  const patience = Math.min(timeout, PATIENCE)
  const words = await Promise.all(servers.map((address) => wordOf(inquire(address, patience), address)))
  const latest = words.reduce((best, word) => (word !== null && word.round > (best?.round ?? -1) ? word : best), null)
  if (latest === null) throw new ClientError('UNAVAILABLE', 'no server was reached that knows a leader')
  if (!discover && !servers.includes(latest.address))
    throw new ClientError('TRANSFER_FAILED', `the server at ${latest.address} leads, which this client is not to reach`)
  const inquiry = inquire(latest.address, timeout)
  try {
    await inquiry.handOver(to)
  } finally {
    void inquiry.close('answered')
  }
}

/** null: it does not answer, or knows no leader. */
async function wordOf(inquiry: Inquiry, address: string): Promise<Word | null> {
  try {
    const { id, leader, ballot } = await inquiry.status()
    if (leader === null) return null
    const there = leader === id ? address : inquiry.welcome?.servers[leader]
    return there === undefined ? null : { round: Number.parseInt(ballot), address: there }
  } catch (error) {
    if (error instanceof ClientError) return null
    throw error
  } finally {
    void inquiry.close('answered')
  }
}
