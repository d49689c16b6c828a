/** `status`: a table of the servers. */
import type { ServerAnswer } from '@synod/paxos'
import { EXIT_DONE, EXIT_UNAVAILABLE, orCancelled, print } from '@synod/terminal'
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
  await print(json ? JSON.stringify({ servers }) : table(answers))
  return answers.some((answer) => answer.status !== null) ? EXIT_DONE : EXIT_UNAVAILABLE
}

function table(answers: readonly ServerAnswer[]): string {
  const rows = new Table({
    head: ['id', 'address', 'role', 'ballot', 'applied slot', 'log bytes', 'uptime'],
    colAligns: ['right', 'left', 'left', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  })
  for (const { address, status } of answers) {
    if (status === null) {
      rows.push(['?', address, 'unreachable', '', '', '', ''])
      continue
    }
    const { id, role, ballot, applied, logBytes, uptimeMs } = status
    rows.push([id, address, role, ballot, grouped(applied), grouped(logBytes), duration(uptimeMs)])
  }
  return rows.toString()
}

function grouped(number: number): string {
  return number.toLocaleString('en-US')
}

/** Its two largest units: `1d 4h`, `3m 5s`. */
function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  const units: [string, number][] = [
    ['d', Math.floor(seconds / 86_400)],
    ['h', Math.floor(seconds / 3600) % 24],
    ['m', Math.floor(seconds / 60) % 60],
    ['s', seconds % 60],
  ]
  const first = units.findIndex(([, amount]) => amount > 0)
  const shown = first === -1 ? units.slice(-1) : units.slice(first, first + 2)
  return shown.map(([unit, amount]) => `${amount}${unit}`).join(' ')
}
