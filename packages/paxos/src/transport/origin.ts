/**
 * Which web pages may speak to this server. Any page can try to open a socket to 127.0.0.1, and any name can be made to
 * point there (DNS rebinding). Browsers say whose page it is (Origin) and whom it asked for (Host): both are checked.
 */

/** What a server may be called in a browser's address bar, and its cluster's servers. */
export interface OwnNames {
  /** The address that it is bound to. */
  readonly bind: string
  /** `host:port`s that it is known by. */
  readonly advertised: readonly string[]
  /** `host:port`s of all servers of its cluster: their pages may open connections here. */
  readonly cluster: readonly string[]
}

/** Addresses to bind to that stand for all of a machine's. */
const ALL_ADDRESSES = new Set(['0.0.0.0', '[::]'])

/**
 * Whether to take in a connection with these headers. Without an Origin it is no browser's. With one, the page must have
 * come from the host that was asked for, or from a server of this cluster; and the host that was asked for must be this
 * server under one of its names.
 */
export function isAllowedOrigin(origin: string | undefined, host: string | undefined, own: OwnNames): boolean {
  if (origin === undefined) return true
  const page = parse(origin)
  if (page === undefined || host === undefined || !isOwnName(host, own)) return false
  return page.host === parse(`http://${host}`)?.host || isClusters(page, own.cluster)
}

/**
 * Whether a request with this Host asks for this server under one of its names. A name that somebody else can point here
 * is not one; neither loopback names nor, where it listens on all addresses, IP addresses can be.
 */
export function isOwnName(host: string, own: OwnNames): boolean {
  const asked = /[\s/@?#\\]/.test(host) ? undefined : parse(`http://${host}`)
  if (asked === undefined) return false
  if (isLoopback(asked.hostname)) return true
  const bind = hostnameOf(own.bind)
  if (asked.hostname === bind || (ALL_ADDRESSES.has(bind) && isIpAddress(asked.hostname))) return true
  // Behind a proxy that speaks TLS, no port means 443.
  const ports = asked.port === '' ? ['80', '443'] : [asked.port]
  return own.advertised.some((address) => {
    const name = parse(`http://${address}`)
    return name?.hostname === asked.hostname && ports.includes(portOf(name))
  })
}

/** Whether a page came from one of these servers. A loopback name is as good as another: they are the same machine. */
function isClusters(page: URL, cluster: readonly string[]): boolean {
  return cluster.some((address) => {
    const server = parse(`http://${address}`)
    if (server === undefined || portOf(server) !== portOf(page)) return false
    return server.hostname === page.hostname || (isLoopback(server.hostname) && isLoopback(page.hostname))
  })
}

function portOf({ port, protocol }: URL): string {
  return port !== '' ? port : protocol === 'https:' ? '443' : '80'
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}

/** Browsers write any way of writing an IPv4 address as four numbers. */
function isIpAddress(hostname: string): boolean {
  return hostname.startsWith('[') || /^\d+\.\d+\.\d+\.\d+$/.test(hostname)
}

/** As a browser writes it: in lower case, an IPv6 address in brackets. */
function hostnameOf(bind: string): string {
  return parse(`http://${bind.includes(':') ? `[${bind}]` : bind}`)?.hostname ?? bind
}

/** A page's or a server's address. Pages of other schemes (a file, an extension) have none. */
function parse(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? url : undefined
}
