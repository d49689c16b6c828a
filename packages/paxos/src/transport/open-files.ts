/** How many connections a server takes in, so that strangers cannot use up the files that the log needs. */
import { readFileSync } from 'node:fs'

/** Connections of all kinds at one time. */
const MAX_CONNECTIONS = 16_384
/** Files that are left for everything else. */
const RESERVED = 256

/** As many as there may be, as far as this process may have that many files open. */
export function mostConnections(limits = limitsOfProcess()): number {
  const files = /^Max open files +(\d+)/m.exec(limits)?.[1]
  return files === undefined ? MAX_CONNECTIONS : Math.max(1, Math.min(MAX_CONNECTIONS, Number(files) - RESERVED))
}

/** As Linux tells them; elsewhere nothing. */
function limitsOfProcess(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8')
  } catch {
    return ''
  }
}
