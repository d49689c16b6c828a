/** Which web pages may open a connection. Any page can try to open a socket to 127.0.0.1; browsers say whose page it is. */

/** What a server may be called in a browser's address bar. */
export interface OwnNames {
  /** The address that it is bound to. */
  readonly bind: string
  /** `host:port`s that it is known by. */
  readonly advertised: readonly string[]
}

/**
 * Whether to take in a connection with these headers. Without an Origin it is no browser's. With one, the page must have
 * come from the host that was asked for, and that host must be this server under one of its names: a foreign name that
 * was made to point here (DNS rebinding) is not.
 */
export function isAllowedOrigin(origin: string | undefined, host: string | undefined, own: OwnNames): boolean {
  if (origin === undefined) return true
  const page = parse(origin)
  const asked = parse(`http://${host ?? ''}`)
  if (page === undefined || asked === undefined || page.host !== (host ?? '').toLowerCase()) return false
  return own.advertised.includes(asked.host) || asked.hostname === own.bind || isLoopback(asked.hostname)
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}

function parse(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined
}
