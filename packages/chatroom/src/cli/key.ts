/** The key with which one's own messages can be edited and deleted: the same one the next time. */
import { createHmac } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { stateFile } from '@synod/terminal'
import { drawSecret } from '../live/secret.js'

export interface AuthorKey {
  readonly key: string
  /** Why it is one for this time only; null if it is kept. */
  readonly notKept: string | null
}

/**
 * The key of this user under this name: two names on one computer are two people. It is made of the secret in
 * `$XDG_STATE_HOME/synod/chatroom-key`; where that cannot be used, it is a new one.
 */
export function authorKey(name: string): AuthorKey {
  const file = stateFile('chatroom-key')
  try {
    const secret = read(file) ?? create(file)
    if (/^[0-9a-f]{32}$/.test(secret)) {
      return { key: createHmac('sha256', secret).update(name).digest('hex').slice(0, 32), notKept: null }
    }
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
