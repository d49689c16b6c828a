/** The commands on keys: one operation each, or a walk through pages. */
import { EXIT_DONE, EXIT_NO, note, orCancelled, print, rest, UsageError, word, write } from '@synod/terminal'
import type { Session } from './session.js'

export interface GetOptions {
  readonly stale?: boolean
}

/**
 * `get KEY`: prints the value as it is. JSON: `{"key","value"}`, the value null if there is none. With `--stale` the slot is
 * told, too: on standard error, or as `"slot"`.
 */
export async function get(session: Session, key: string, options: GetOptions): Promise<number> {
  const { store, json } = session
  const read = options.stale === true ? store.getStale(key) : store.get(key).then((value) => ({ value, slot: null }))
  const { value, slot } = await orCancelled<{ value: string | null; slot: number | null }>(session, read)
  if (json) await print(JSON.stringify({ key, value, ...(slot !== null && { slot }) }))
  else if (value === null) note(`There is no key ${word(key)}.`)
  else await print(value)
  if (slot !== null && !json) note(`as of slot ${slot}`)
  return value === null ? EXIT_NO : EXIT_DONE
}

/** `set KEY VALUE`. JSON: `{"key","existed"}`. */
export async function set(session: Session, key: string, value: string): Promise<number> {
  const { existed } = await orCancelled(session, session.store.set(key, value))
  await print(session.json ? JSON.stringify({ key, existed }) : existed ? 'replaced' : 'created')
  return EXIT_DONE
}

/** `del KEY`. JSON: `{"key","existed"}`. */
export async function del(session: Session, key: string): Promise<number> {
  const { existed } = await orCancelled(session, session.store.delete(key))
  if (session.json) await print(JSON.stringify({ key, existed }))
  else if (existed) await print('deleted')
  else note(`There is no key ${word(key)}.`)
  return existed ? EXIT_DONE : EXIT_NO
}

export interface CasOptions {
  readonly absent?: boolean
  readonly delete?: boolean
}

/** `cas KEY OLD NEW`, `cas --absent KEY NEW`, `cas --delete KEY OLD`. JSON: `{"key","swapped"}`, and `"current"` if not. */
export async function cas(
  session: Session,
  key: string,
  values: readonly string[],
  options: CasOptions,
): Promise<number> {
  const { expected, value } = casValues(values, options)
  const result = await orCancelled(session, session.store.cas(key, expected, value))
  if (session.json) await print(JSON.stringify({ key, ...result }))
  else if (result.swapped) await print('swapped')
  else if (result.current === null) note(`Not swapped: there is no key ${word(key)}.`)
  else note(`Not swapped: the value of ${word(key)} is ${rest(result.current)}`)
  return result.swapped ? EXIT_DONE : EXIT_NO
}

function casValues(values: readonly string[], options: CasOptions): { expected: string | null; value: string | null } {
  const left = [...values]
  const expected = options.absent === true ? null : left.shift()
  const value = options.delete === true ? null : left.shift()
  if (expected === undefined || value === undefined || left.length > 0) {
    throw new UsageError('cas takes KEY OLD NEW; with --absent only KEY NEW, with --delete only KEY OLD')
  }
  return { expected, value }
}

export interface ListOptions {
  readonly limit?: number
  readonly after?: string
  readonly keys?: boolean
}

/** Output is handed on in pieces of about this many characters. */
const PIECE = 65_536

/** `list [PREFIX]`: a line `key<TAB>value` each; JSON: lines of `{"key","value"}`; with `--keys` without values. */
export async function list(session: Session, prefix: string, { keys, ...range }: ListOptions): Promise<number> {
  const { json, signal } = session
  let piece = ''
  const add = async (line: string): Promise<void> => {
    piece += `${line}\n`
    if (piece.length < PIECE) return
    const full = piece
    piece = ''
    await write(full)
    signal.throwIfAborted()
  }
  const walk = async (): Promise<void> => {
    if (keys === true) {
      for await (const key of session.store.keys(prefix, range)) await add(json ? JSON.stringify({ key }) : rest(key))
      return
    }
    for await (const [key, value] of session.store.list(prefix, range)) {
      await add(json ? JSON.stringify({ key, value }) : `${word(key)}\t${rest(value)}`)
    }
  }
  await orCancelled(session, walk())
  await write(piece)
  return EXIT_DONE
}

/** `count [PREFIX]`. JSON: `{"prefix","count"}`. */
export async function count(session: Session, prefix: string): Promise<number> {
  const keys = await orCancelled(session, session.store.count(prefix))
  await print(session.json ? JSON.stringify({ prefix, count: keys }) : String(keys))
  return EXIT_DONE
}
