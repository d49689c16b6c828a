/** `status`: a table of the servers, and what is worth a sentence. */
import type { ServerAnswer, ServerStatus } from '@synod/paxos'
import { bar, duration, EXIT_DONE, EXIT_UNAVAILABLE, grouped, orCancelled, print, size } from '@synod/terminal'
import Table from 'cli-table3'
import type { Session } from './session.js'

/** A server that does not answer for this long is shown as unreachable; ms. */
const PATIENCE = 2000

/** `status`: asks each server that was named. JSON: `{"servers":[{"address","status","error"}]}`, one of the two null. */
export async function status(session: Session): Promise<number> {
  const { store, timeout, json } = session
  const asked = store.connection.status(undefined, { timeout: Math.min(timeout, PATIENCE) })
  const answers = await orCancelled(session, asked)
  const servers = answers.map(({ address, status, error }) => ({ address, status, error: error?.message ?? null }))
  await print(json ? JSON.stringify({ servers }) : [table(answers), ...remarks(answers)].join('\n'))
  return answers.some((answer) => answer.status !== null) ? EXIT_DONE : EXIT_UNAVAILABLE
}

function table(answers: readonly ServerAnswer[]): string {
  const rows = new Table({
    head: ['id', 'address', 'role', 'ballot', 'slot', 'behind', 'log', 'snapshot', 'reads', 'up'],
    colAligns: ['right', 'left', 'left', 'right', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  })
  const foremost = Math.max(0, ...answers.map(({ status }) => status?.applied ?? 0))
  for (const { address, status } of answers) {
    if (status === null) {
      rows.push(['?', address, 'unreachable', '', '', '', '', '', '', ''])
      continue
    }
    const { id, role, ballot, applied, logBytes, uptimeMs, snapshot, reads } = status
    const kept = snapshot.slot === 0 ? 'none' : size(snapshot.bytes)
    const behind = grouped(foremost - applied)
    const [log, read] = [size(logBytes), grouped(reads.answered)]
    rows.push([id, address, role, ballot, grouped(applied), behind, log, kept, read, duration(uptimeMs)])
  }
  return rows.toString()
}

/** What a table has no place for. A line each; none if all is well. */
export function remarks(answers: readonly ServerAnswer[]): string[] {
  const statuses = answers.flatMap(({ status }) => (status === null ? [] : [status]))
  return [...partings(statuses), ...statuses.flatMap(remarksOn)]
}

function remarksOn({ id, progress, fetching, role, life, ready, reason }: ServerStatus): string[] {
  const lines: string[] = []
  if (progress !== null) lines.push(`Server ${id} is starting: ${bar(progress)} of its directory is read.`)
  else if (fetching !== null) {
    const { from, received, bytes } = fetching
    const done = `${bar(bytes === 0 ? 0 : received / bytes)} of ${size(bytes)}`
    lines.push(`Server ${id} is far behind, and fetches a snapshot of server ${from}: ${done}.`)
  } else if (role === 'repairing') lines.push(`Server ${id} is being repaired from the others: it does not vote yet.`)
  else if (!ready && reason !== null) lines.push(`Server ${id} takes nothing in: ${reason}.`)
  if (life > 0) lines.push(`Server ${id} was repaired ${life === 1 ? 'once' : `${grouped(life)} times`}.`)
  return lines
}

/** Two servers that tell one slot of their histories must tell one hash. */
function partings(statuses: readonly ServerStatus[]): string[] {
  const parted = statuses.flatMap(({ id, audit }) => {
    const other = statuses.find((one) => one.id < id && one.audit.slot === audit.slot && one.audit.hash !== audit.hash)
    return other === undefined ? [] : [`${other.id} and ${id} at slot ${grouped(audit.slot)}`]
  })
  if (parted.length === 0) return []
  return [`WARNING: the histories of servers differ: ${parted.join(', ')}. See who is right with "verify".`]
}
