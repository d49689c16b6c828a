/** Messages that were written and have no outcome: this browser keeps them, so that they survive the page. */
import { z } from 'zod'
import { keep, kept, keptNames } from './keep.js'

const savedSchema = z.object({ room: z.string(), author: z.string(), text: z.string(), at: z.number() })

export interface Saved extends z.output<typeof savedSchema> {
  readonly nonce: string
}

/** Each has a place of its own: so several pages of one browser do not forget each other's. */
const place = (nonce: string): string => `unsent/${nonce}`

/** Keeps a message; tells whether that could be done. */
export function save({ nonce, ...message }: Saved): boolean {
  return keep(place(nonce), JSON.stringify(message))
}

/** The message has its outcome. */
export function forget(nonce: string): void {
  keep(place(nonce), null)
}

/** All that are kept, in the order in which they were written. */
export function savedMessages(): readonly Saved[] {
  return keptNames(place(''))
    .flatMap((name) => read(name))
    .sort((a, b) => a.at - b.at)
}

function read(name: string): Saved[] {
  try {
    const message = savedSchema.parse(JSON.parse(kept(name) ?? ''))
    return [{ ...message, nonce: name.slice(place('').length) }]
  } catch {
    keep(name, null) // not ours, or of another version
    return []
  }
}
