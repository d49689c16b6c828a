/** What a server answers over plain HTTP: how it and its cluster stand, and the web page of its service. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ServerId } from '../../protocol/ballot.js'
import type { Clock } from '../../clock.js'
import { answerPlain } from '../../transport/plain-answer.js'
import type { ServerStatus } from '../../transport/wire.js'
import { ClusterStatusSource, STATUS_PATH } from './cluster-status.js'
import type { ClusterStatus, OwnStatus } from './cluster-status.js'
import { answerContent, contentOf } from './content.js'
import type { Content } from './content.js'
import { contentSecurityPolicy } from './policy.js'
import { frontPage, STATUS_PAGE, statusFiles } from './status-files.js'
import { readWebFiles } from './web-files.js'

const HEALTH_PATH = '/healthz'

export interface PagesOptions {
  readonly service: string
  readonly id: ServerId
  /** `host:port` of all servers, in id order. */
  readonly addresses: readonly string[]
  readonly clock: Clock
  /** The service's static files, served at `/`. */
  readonly web?: string | URL
  /** How this server stands. */
  readonly status: () => ServerStatus
}

export class Pages {
  readonly #status: () => ServerStatus
  readonly #cluster: ClusterStatusSource
  readonly #files: ReadonlyMap<string, Content>
  readonly #policy: string
  /** The last answer of {@link #cluster}, as it is sent to all who ask for it. */
  #told: { readonly status: ClusterStatus; readonly content: Content } | null = null

  /** Reads the service's files. Throws `BAD_OPTION` if they cannot be served. */
  constructor({ service, id, addresses, clock, web, status }: PagesOptions) {
    this.#status = status
    this.#cluster = new ClusterStatusSource({ id, addresses, clock, own: status })
    this.#policy = contentSecurityPolicy(addresses)
    const front = contentOf('index.html', frontPage(service, id))
    const files = web === undefined ? [['/', front] as const] : readWebFiles(web, isReserved)
    this.#files = new Map([...files, ...statusFiles()])
  }

  /** Answers one request. */
  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    response.setHeader('content-security-policy', this.#policy)
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      return answerPlain(response, 405, 'Nothing can be changed here: only GET and HEAD are answered.')
    }
    const target = targetOf(request.url ?? '')
    if (target === null) return answerPlain(response, 400, 'This is no address of a page.')
    const { path, query } = target
    if (path === HEALTH_PATH) return this.#answerHealth(request, response)
    if (path === STATUS_PATH) return this.#answerStatus(request, response, query)
    this.#answerFile(request, response, path)
  }

  /** Gives up what it asks other servers. */
  close(): void {
    this.#cluster.close()
  }

  #answerHealth(request: IncomingMessage, response: ServerResponse): void {
    const { ready, reason } = this.#status()
    const health = ready ? { ready } : { ready, reason }
    answerContent(request, response, jsonOf(health), { status: ready ? 200 : 503 })
  }

  #answerStatus(request: IncomingMessage, response: ServerResponse, query: string): void {
    if (query.split('&').includes('own')) {
      const own: OwnStatus = { server: this.#status() }
      return answerContent(request, response, jsonOf(own))
    }
    this.#cluster.status().then(
      (status) => {
        if (this.#told?.status !== status) this.#told = { status, content: jsonOf(status) }
        answerContent(request, response, this.#told.content)
      },
      () => answerPlain(response, 503, 'This server stops.'),
    )
  }

  #answerFile(request: IncomingMessage, response: ServerResponse, path: string): void {
    const content = this.#files.get(path)
    if (content !== undefined) return answerContent(request, response, content)
    const other = path.endsWith('/') ? path.slice(0, -1) : `${path}/`
    if (!this.#files.has(other)) return answerPlain(response, 404, 'There is no such page here.')
    // With the right end, so that what the page names relative to itself is found.
    response.setHeader('location', encodeURI(other))
    answerPlain(response, 308, 'This page has another address.')
  }
}

/** Whether the server itself answers at this path, whatever files a service has. */
function isReserved(path: string): boolean {
  return [STATUS_PATH, HEALTH_PATH, STATUS_PAGE].includes(path) || path.startsWith(`${STATUS_PAGE}/`)
}

/** What a request asks for; null if it cannot be read. No path is ever looked up on a disk. */
function targetOf(url: string): { readonly path: string; readonly query: string } | null {
  // Who asks as it would ask a proxy names the host, too.
  const target = url.startsWith('/') ? url : URL.canParse(url) ? url.replace(/^[^/]*\/\/[^/]*/, '') : ''
  const [path = '', query = ''] = target.split('?', 2)
  try {
    return path === '' ? null : { path: decodeURIComponent(path), query }
  } catch {
    return null
  }
}

function jsonOf(value: unknown): Content {
  return contentOf('answer.json', `${JSON.stringify(value)}\n`)
}
