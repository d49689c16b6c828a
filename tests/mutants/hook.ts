/** Runs in the loader of a mutant's process: replaces pieces of the code, and fails loudly if it is not there. */
import type { LoadHook } from 'node:module'
import { MUTANTS } from './mutants.js'

const mutant = MUTANTS.find(({ name }) => name === process.env['SYNOD_MUTANT'])

export const load: LoadHook = async (url, context, next) => {
  const loaded = await next(url, context)
  const edits = mutant?.edits.filter(({ file, of = 'paxos' }) => url.endsWith(`/packages/${of}/dist/${file}`)) ?? []
  if (edits.length === 0) return loaded
  let source = Buffer.from(loaded.source as Uint8Array).toString()
  for (const { file, replace, by } of edits) {
    if (source.split(replace).length !== 2) throw new Error(`${mutant?.name}: its place in ${file} is gone`)
    source = source.replace(replace, () => by)
  }
  return { ...loaded, source }
}
