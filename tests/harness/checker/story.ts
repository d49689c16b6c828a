/** Histories that are told by hand. */
import type { HistoryEvent, Kind } from '@synod/harness/internal/history/history'

/** One event after the other, 1 ms apart. */
export class Story {
  readonly events: HistoryEvent[] = []

  begin(process: string, f: Kind, key: string, value?: unknown): this {
    return this.#add({ process, type: 'invoke', f, key, ...(value !== undefined && { value }) })
  }

  end(process: string, type: 'ok' | 'fail' | 'info', value?: unknown): this {
    const begun = this.events.findLast((event) => event.process === process)
    return this.#add({ process, type, f: begun?.f ?? 'read', ...(value !== undefined && { value }) })
  }

  /** An operation while which nothing else happens. */
  did(process: string, f: Kind, key: string, value?: unknown, answer?: unknown): this {
    return this.begin(process, f, key, value).end(process, 'ok', answer)
  }

  #add(event: Omit<HistoryEvent, 'time'>): this {
    this.events.push({ ...event, time: this.events.length })
    return this
  }
}

/** Forty writes at once, of as many keys, and a count that none of their 2^40 subsets explains. */
export function hardStory(): Story {
  const story = new Story()
  const writers = Array.from({ length: 40 }, (_, number) => `w${number}`)
  story.begin('counter', 'count', 'hard').did('A', 'write', 'hard', 1)
  for (const writer of writers) story.begin(writer, 'write', `hard ${writer}`, writer)
  story.end('counter', 'ok', 42)
  for (const writer of writers) story.end(writer, 'ok')
  return story
}
