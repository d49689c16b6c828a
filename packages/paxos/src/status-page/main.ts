/** The page's script: how the servers stand, each second anew. */
import { electionsOf } from './elections.js'
import type { Election } from './elections.js'
import { ElectionRow } from './election-row.js'
import { element, Rows, setText } from './elements.js'
import { showCount, showRate } from './format.js'
import { healthOf } from './health.js'
import type { Health } from './health.js'
import { History } from './history.js'
import { poll } from './poll.js'
import { ServerRow } from './server-row.js'
import type { ClusterView, EntryView } from './view.js'

const history = new History()
const servers = new Rows<EntryView, ServerRow>(element('servers'), () => new ServerRow())
const elections = new Rows<Election, ElectionRow>(element('elections'), () => new ElectionRow())
/** Since when (ms since 1970) the server that the page came from has not answered. */
let silentSince: number | null = null

function showHealth({ level, word, sentence }: Health, service: string): void {
  element('health').className = level
  setText(element('word'), word)
  setText(element('sentence'), sentence)
  document.title = service === '' ? word : `${service}: ${word.toLowerCase()}`
}

function show(view: ClusterView): void {
  const now = Date.now()
  silentSince = null
  history.add(view, now)
  const { server } = view
  const statuses = view.servers.flatMap(({ status }) => (status === null ? [] : [status]))
  document.body.classList.remove('silent')
  showHealth(healthOf(view), server.service)
  setText(element('service'), server.service)
  setText(element('cluster'), server.clusterId ?? 'not formed yet')
  setText(element('leader'), server.leader === null ? 'none' : `server ${server.leader}`)
  // A server that has just started has executed much at once: the leader's rate is the cluster's.
  const leading = statuses.find(({ id }) => id === server.leader) ?? server
  setText(element('rate'), showRate(leading.commandsPerSecond))
  setText(element('applied'), showCount(Math.max(...statuses.map((status) => status.applied))))
  setText(element('seen'), `server ${server.id}`)
  const scale = { rate: history.highest('rate'), p99: history.highest('p99') }
  const reached = statuses.find(({ role }) => role === 'leader')?.reached ?? []
  const surroundings = { count: view.servers.length, history, scale, now, reached }
  servers.show(view.servers, (row, entry) => row.show(entry, surroundings))
  const seen = electionsOf(view, now)
  elections.show(seen, (row, election) => row.show(election, now))
  element('no-elections').hidden = seen.length > 0
  element('elections-table').hidden = seen.length === 0
}

function showSilence(): void {
  silentSince ??= Date.now()
  document.body.classList.add('silent')
  const since = new Date(silentSince).toLocaleTimeString()
  const known = element('service').textContent
  showHealth(
    {
      level: 'down',
      word: 'No answer',
      sentence: `${location.host} has not answered since ${since}. What is below was told before.`,
    },
    known,
  )
}

poll({ answered: show, failed: showSilence })
