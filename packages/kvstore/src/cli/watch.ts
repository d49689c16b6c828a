/** `watch [PREFIX]`: changes as they are decided. */
import { ClientError, FeedError, SynodError, type Connectivity } from '@synod/paxos'
import { describeError, EXIT_DONE, EXIT_NO, note, print, rest, word, write } from '@synod/terminal'
import { connectKvstore, type KvClient } from '../client.js'
import type { KvEvent, Pair } from '../command.js'
import type { KvStateWatch, KvWatch } from '../watch.js'
import type { Session } from './session.js'

export interface WatchOptions {
  /** The first slot whose changes are wanted; by default those from now on. */
  readonly from?: number
  /** Begin with the pairs as they are. */
  readonly state?: boolean
}

/** Output is handed on in pieces of about this many characters. */
const PIECE = 65_536

/** Where a watch begins. */
type Beginning = Partial<Omit<KvStateWatch, 'changes'>> & { readonly changes: KvWatch }

/**
 * `watch [PREFIX]`: a line `set<TAB>key<TAB>value` or `delete<TAB>key` each, until the user ends it; JSON: lines of
 * `{"slot","index","type","key","value"}`, those of the state without an index. What is for people goes to standard error:
 * where it begins, and when it moves to another server.
 */
export async function watch(session: Session, prefix: string, options: WatchOptions): Promise<number> {
  const { servers, timeout, signal } = session
  // A connection of its own, whose ways are told as long as it watches.
  const store = connectKvstore({ servers, timeout, onConnection: teller(session) })
  const end = (): void => void store.close()
  signal.addEventListener('abort', end)
  try {
    signal.throwIfAborted()
    const beginning = await inTime(begin(store, prefix, options), session)
    await tell(session, prefix, beginning)
  } catch (error) {
    if (signal.aborted) return EXIT_DONE
    if (!(error instanceof FeedError)) throw error
    const gone = new SynodError(error.code, sentenceOf(error), { slot: error.slot })
    note(describeError(gone, session.json))
    return EXIT_NO
  } finally {
    signal.removeEventListener('abort', end)
    await store.close()
  }
  return EXIT_DONE
}

async function begin(store: KvClient, prefix: string, { from, state }: WatchOptions): Promise<Beginning> {
  if (state === true) return store.watchState(prefix)
  const changes = store.watch(prefix, from === undefined ? {} : { from })
  await changes.started
  return { changes }
}

async function tell(session: Session, prefix: string, { slot, pairs, changes }: Beginning): Promise<void> {
  const { json } = session
  if (slot !== undefined && pairs !== undefined) await tellState(session, slot, pairs)
  const from = await changes.started
  const keys = prefix === '' ? 'all keys' : `keys that begin with ${word(prefix)}`
  note(json ? JSON.stringify({ watching: { prefix, from } }) : `Changes of ${keys}, from slot ${from} on:`)
  for await (const change of changes) await print(json ? JSON.stringify(change) : lineOf(change))
}

async function tellState({ json }: Session, slot: number, pairs: AsyncIterable<Pair>): Promise<void> {
  let count = 0
  let piece = ''
  for await (const [key, value] of pairs) {
    const event: KvEvent = { type: 'set', key, value }
    piece += `${json ? JSON.stringify({ slot, ...event }) : lineOf(event)}\n`
    count += 1
    if (piece.length < PIECE) continue
    await write(piece)
    piece = ''
  }
  await write(piece)
  const counted = count === 1 ? '1 pair' : `${count} pairs`
  note(json ? JSON.stringify({ state: { slot, pairs: count } }) : `${counted} at slot ${slot}.`)
}

/** Control characters are escaped, as in a `list`. */
function lineOf(event: KvEvent): string {
  return event.type === 'set' ? `set\t${word(event.key)}\t${rest(event.value)}` : `delete\t${word(event.key)}`
}

/** The client itself waits for a cluster for as long as it takes; whoever types a command does not. */
async function inTime<T>(work: Promise<T>, { timeout, servers }: Session): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new ClientError('UNAVAILABLE', `none of ${servers.join()} has answered within ${timeout} ms`))
    }, timeout)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Tells when the connection is lost, and when there is one again. */
function teller({ json, signal }: Session): (connectivity: Connectivity) => void {
  let isLost = false
  return (connectivity) => {
    const isNews = isLost || connectivity.state === 'lost'
    isLost = connectivity.state === 'lost'
    if (!isNews || signal.aborted) return
    if (json) note(JSON.stringify({ connection: connectivity }))
    else if (connectivity.state === 'lost')
      note(`Connection lost (${connectivity.reason}); looking for another server.`)
    else note(`Connected to ${connectivity.address}; going on where it stopped.`)
  }
}

function sentenceOf({ code, slot }: FeedError): string {
  const why = code === 'LAGGED' ? ', because the output was read too slowly, or it was cut off for too long' : ''
  return `the changes before slot ${slot} are gone${why}: go on with --from ${slot}, or begin with the pairs as they are by --state`
}
