/** Where the servers of a cluster are: given as a rule, a list or a file. */
import { readFileSync } from 'node:fs'
import type { ServerId } from '../protocol/ballot.js'
import { SynodError } from '../protocol/error.js'
import { MAX_SERVERS } from '../transport/wire.js'

/** A bad option of `serve` or of the command line: `BAD_OPTION`. */
export function badOption(message: string, data: Readonly<Record<string, unknown>> = {}): SynodError {
  return new SynodError('BAD_OPTION', message, data)
}

/** An address in its parts; `host` without the brackets of an IPv6 address. */
export interface HostAndPort {
  readonly host: string
  readonly port: number
}

/** Reads `host:port` or `[IPv6]:port`. `where` says in an error where it stands. Throws `BAD_OPTION`. */
export function parseAddress(text: string, where: string): HostAndPort {
  const parts = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^\s:[\]/@]+)):(\d{1,5})$/.exec(text)
  const host = parts?.[1] ?? parts?.[2]
  const port = Number(parts?.[3])
  if (host === undefined || port < 1 || port > 65_535) {
    throw badOption(`${where}: "${text}" is not an address of the form host:port with a port from 1 to 65535`, {
      address: text,
    })
  }
  return { host, port }
}

/** Whether only this machine can reach a host of this name. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

/** Checks that each server has an address of its own. Throws `BAD_OPTION`. */
export function checkAddresses(addresses: readonly string[], where: string): readonly string[] {
  if (addresses.length === 0) throw badOption(`${where}: no address is given, one for each server is needed`)
  if (addresses.length > MAX_SERVERS)
    throw badOption(`${where}: ${addresses.length} addresses, the limit is ${MAX_SERVERS}`)
  const seen = new Map<string, ServerId>()
  for (const [id, address] of addresses.entries()) {
    parseAddress(address, `${where}, server ${id}`)
    const other = seen.get(address)
    if (other !== undefined)
      throw badOption(`${where}: servers ${other} and ${id} have the same address, ${address}`, { address })
    seen.set(address, id)
  }
  return addresses
}

/** The rule `--id I --count N --port P`: server J listens on port P − I + J of 127.0.0.1. Throws `BAD_OPTION`. */
export function consecutiveAddresses(id: ServerId, count: number, port: number): readonly string[] {
  const first = port - id
  const last = first + count - 1
  if (first < 1 || last > 65_535) {
    throw badOption(
      `with --id ${id} --count ${count} --port ${port} the servers' ports would be ${first} to ${last}: choose another --port, they must be from 1 to 65535`,
    )
  }
  return Array.from({ length: count }, (_, server) => `127.0.0.1:${first + server}`)
}

/** A hosts file: one `host:port` a line, in id order; empty lines and what follows a `#` are left out. Throws `BAD_OPTION`. */
export function readHostFile(path: string): readonly string[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    throw badOption(`the hosts file ${path} cannot be read (${code ?? String(error)})`, { path })
  }
  const addresses: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const address = line.replace(/#.*/, '').trim()
    if (address === '') continue
    parseAddress(address, `${path}, line ${index + 1}`)
    addresses.push(address)
  }
  return checkAddresses(addresses, path)
}

/** So many servers are named in a sentence. */
const NAMED = 10

/** `server 1`, or `servers 1, 2 and 3`; of many only the first ones. */
export function nameServers(ids: readonly ServerId[]): string {
  if (ids.length === 1) return `server ${ids[0]}`
  const last = ids.length > NAMED ? `${ids.length - NAMED} more` : ids.at(-1)
  return `servers ${ids.slice(0, Math.min(NAMED, ids.length - 1)).join(', ')} and ${last}`
}
