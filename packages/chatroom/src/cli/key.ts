/** The key with which one's own messages can be edited and deleted, kept for the next time. */
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { stateFile } from '@synod/terminal'
import { drawSecret } from '../live/secret.js'

export interface AuthorKey {
  readonly key: string
  /** Why it is one for this time only; null if it is kept. */
  readonly notKept: string | null
}

/** The user's key, from `$XDG_STATE_HOME/synod/chatroom-key`; where that cannot be used, a new one. */
export function authorKey(): AuthorKey {
  const file = stateFile('chatroom-key')
  try {
    const key = read(file) ?? create(file)
    if (/^[0-9a-f]{32}$/.test(key)) return { key, notKept: null }
    return { key: drawSecret(), notKept: `${file} does not hold a key of 32 hexadecimal digits` }
  } catch (error) {
    return { key: drawSecret(), notKept: error instanceof Error ? error.message : String(error) }
  }
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** Of two clients that begin at once, one creates the file, whole; both use what is in it. */
function create(file: string): string {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const draft = `${file}.${process.pid}`
  try {
    writeFileSync(draft, `${drawSecret()}\n`, { mode: 0o600 })
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
  return readFileSync(file, 'utf8').trim()
}
