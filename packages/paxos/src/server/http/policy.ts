/** What the pages of a server may do: load what is their own, and connect to the servers of its cluster. */
import { parseAddress } from '../addresses.js'

/** More servers than this are not listed one by one: some readers refuse long headers. */
const MAX_LISTED = 32

/**
 * The Content-Security-Policy of all pages: nothing from elsewhere, nothing inline, not in anybody's frame. A page may
 * connect to any server of the cluster.
 *
 * @param addresses `host:port`s of all servers
 */
export function contentSecurityPolicy(addresses: readonly string[]): string {
  return [
    "default-src 'self'",
    `connect-src ${["'self'", ...sources(addresses)].join(' ')}`,
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ')
}

function sources(addresses: readonly string[]): readonly string[] {
  const parsed = addresses.map((address) => parseAddress(address, 'the address of a server'))
  // A policy has no way to name an IP address, but for this one (CSP3, section 6.7.2.8).
  const canBeListed = parsed.every(({ host }) => host === '127.0.0.1' || !/^[\d.]+$|:/.test(host))
  if (!canBeListed || parsed.length > MAX_LISTED) return ['ws:', 'wss:']
  const all = parsed.flatMap(({ host, port }) => {
    const names = host === '127.0.0.1' || host === 'localhost' ? ['127.0.0.1', 'localhost'] : [host]
    return names.map((name) => `ws://${name}:${port}`)
  })
  return [...new Set(all)]
}
