/** Whether stale reads of the key-value store tell what they promise: what there was after the slot that they name. */
import type { KvEvent } from '@synod/kvstore'
import { counted } from '../report/text.js'
import { shortened } from './padding.js'
import type { Complaint, Evidence, Review } from './subject.js'

/** A read that was answered. */
interface Stale {
  readonly process: string | number
  readonly key: string
  readonly slot: number
  readonly value: unknown
}

export const staleReads: Review = {
  check: 'stale',
  concerns: (history) => history.some(({ f }) => f === 'stale'),
  complaints,
  held: ({ history }) =>
    `${counted(answered(history).length, 'stale read')} told what there was after the slot they named`,
}

/** The feed tells every change, with its slot: what a key had after a slot is the last one up to there. */
function complaints({ history, feed, from, final }: Evidence): Complaint[] {
  const pairs = new Map<string, string | null>()
  const problems: Complaint[] = []
  const last = feed.at(-1)?.slot ?? 0
  let at = 0
  for (const { process, key, slot, value } of answered(history)) {
    for (let next = feed[at]; next !== undefined && next.slot <= slot; next = feed[++at]) {
      const event = next.value as KvEvent
      pairs.set(event.key, event.type === 'set' ? shortened(event.value) : null)
    }
    const told = `process ${process} was told ${JSON.stringify(value)} of ${JSON.stringify(key)} after slot ${slot}`
    if (final !== null && slot > final.slot)
      problems.push({ what: `${told}, and the last slot there is is ${final.slot}`, mayPass: false })
    // What was changed before the feed begins is not known, nor is what comes behind its end.
    if (from > 1 && !pairs.has(key)) continue
    const right = pairs.get(key) ?? null
    if (value !== right)
      problems.push({ what: `${told}, where it was ${JSON.stringify(right)}`, mayPass: slot >= last })
  }
  return problems
}

/** In the order of their slots. */
function answered(history: Evidence['history']): Stale[] {
  const all = history.flatMap(({ process, f, type, key, value }): Stale[] => {
    if (f !== 'stale' || type !== 'ok') return []
    const read = value as { readonly slot: number; readonly value: unknown }
    return [{ process, key: key ?? '', ...read }]
  })
  return all.sort((a, b) => a.slot - b.slot)
}
