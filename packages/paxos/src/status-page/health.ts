/** What the servers' answers come to, in one word and one sentence. */
import { showCount, showList } from './format.js'
import type { ClusterView, EntryView } from './view.js'

export interface Health {
  readonly level: 'healthy' | 'degraded' | 'down'
  readonly word: string
  readonly sentence: string
}

export function healthOf({ server, servers }: ClusterView): Health {
  const majority = Math.floor(servers.length / 2) + 1
  const answering = servers.filter((entry) => entry.status !== null)
  const working = servers.filter((entry) => entry.status?.ready === true)
  const parted = partingOf(servers)
  if (parted !== null) return { level: 'down', word: 'Histories differ', sentence: parted }
  const troubles = servers.filter((entry) => entry.status?.ready !== true).map(troubleOf)
  if (server.role === 'forming') {
    const sentence = `A new cluster begins when all its servers have met: ${answering.length} of ${servers.length} answer.`
    return { level: 'degraded', word: 'Forming', sentence }
  }
  if (answering.length < majority) {
    const count = `${answering.length} of ${servers.length} ${servers.length === 1 ? 'server' : 'servers'}`
    const sentence = `Only ${count} can be reached from here, and ${majority} are needed: nothing can be read or written.`
    return { level: 'down', word: 'No majority', sentence }
  }
  if (working.length === 0) {
    return { level: 'down', word: 'No leader', sentence: sentenceOf(troubles) }
  }
  if (troubles.length > 0) return { level: 'degraded', word: 'Degraded', sentence: sentenceOf(troubles) }
  return { level: 'healthy', word: 'Healthy', sentence: allWell(servers, server.leader) }
}

/** Two servers that tell one slot of their histories must tell one hash. */
function partingOf(servers: readonly EntryView[]): string | null {
  for (const { id, status } of servers) {
    if (status === null) continue
    const { slot, hash } = status.audit
    const other = servers.find((one) => one.status?.audit.slot === slot && one.status.audit.hash !== hash)
    if (other === undefined) continue
    return (
      `Servers ${id} and ${other.id} have executed different commands up to slot ${showCount(slot)}: ` +
      'one of them is damaged, and must not go on. A client’s verify tells which.'
    )
  }
  return null
}

function allWell(servers: readonly EntryView[], leader: number | null): string {
  const leads = leader === null ? '' : `, and server ${leader} leads`
  return servers.length === 1 ? 'The one server answers.' : `All ${servers.length} servers answer${leads}.`
}

function troubleOf({ id, status, error }: EntryView): string {
  return status === null
    ? `server ${id} does not answer (${error ?? ''})`
    : `server ${id} takes nothing in (${status.reason ?? ''})`
}

/** The reasons may be the same for several servers; all of them would be too much for large clusters. */
function sentenceOf(troubles: readonly string[]): string {
  const told = troubles.slice(0, 3)
  const rest = troubles.length - told.length
  const text = rest > 0 ? `${told.join(', ')}, and ${rest} more` : showList(told)
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
