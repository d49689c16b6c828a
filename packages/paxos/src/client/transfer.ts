/** Has the leader hand its leadership over to a server that is named: the leader is found first. */
import type { Clock } from '../clock.js'
import type { ServerId } from '../protocol/ballot.js'
import { ClientError } from './error.js'
import type { Inquiry } from './inquiry.js'

/** A server that does not say for this long (ms) who leads is not waited for, if another one does. */
const PATIENCE = 2_000
/** If none does, they are asked again after so long (ms). */
const ROUND_WAIT = 200

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
  /** Of all of it (ms). */
  readonly timeout: number
}

/** @param inquire opens a connection, with a timeout for each answer */
export async function transfer(
  { servers, discover, timeout }: TransferOptions,
  clock: Clock,
  inquire: (address: string, timeout: number) => Inquiry,
  to: ServerId,
): Promise<void> {
  const deadline = clock.now() + timeout
  const left = (): number => Math.max(1, deadline - clock.now())
  const latest = await leaderOf(servers, clock, deadline, (address) => inquire(address, Math.min(left(), PATIENCE)))
  if (!discover && !servers.includes(latest.address))
    throw new ClientError('TRANSFER_FAILED', `the server at ${latest.address} leads, which this client is not to reach`)
  const inquiry = inquire(latest.address, left())
  try {
    await inquiry.handOver(to)
  } finally {
    void inquiry.close('answered')
  }
}

/** What the one says that knows the latest leader. Servers may be about to start, or to elect one. */
async function leaderOf(
  servers: readonly string[],
  clock: Clock,
  deadline: number,
  inquire: (address: string) => Inquiry,
): Promise<Word> {
  for (;;) {
    const answers = await Promise.all(servers.map((address) => wordOf(inquire(address), address)))
    const words = answers.filter((answer): answer is Word => !(answer instanceof ClientError))
    const failures = answers.filter((answer) => answer instanceof ClientError)
    const [first] = words
    if (first !== undefined) return words.reduce((best, word) => (word.round > best.round ? word : best), first)
    const failure = failures.find(({ code }) => code !== 'INCOMPATIBLE') ?? failures[0]
    if (failure?.code === 'INCOMPATIBLE') throw failure
    if (clock.now() + ROUND_WAIT >= deadline) {
      const message = `no server could be reached in time that knows a leader (the last try: ${failure?.message})`
      throw new ClientError('UNAVAILABLE', message)
    }
    await new Promise<void>((resolve) => void clock.after(ROUND_WAIT, resolve))
  }
}

/** Or why there is none. */
async function wordOf(inquiry: Inquiry, address: string): Promise<Word | ClientError> {
  try {
    const { id, leader, ballot } = await inquiry.status()
    const there = leader === id ? address : inquiry.welcome?.servers[leader ?? -1]
    if (there !== undefined) return { round: Number.parseInt(ballot), address: there }
    return new ClientError('UNAVAILABLE', `the server at ${address} knows none`)
  } catch (error) {
    if (error instanceof ClientError && error.code !== 'CLOSED') return error
    throw error
  } finally {
    void inquiry.close('answered')
  }
}
