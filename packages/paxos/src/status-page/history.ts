/** What each server told over the last two minutes. */
import type { ClusterView, ServerView } from './view.js'

/** ms */
export const SPAN = 120_000

/** One moment of one server; null: nothing is known of it. */
export interface Point {
  /** ms, by this page's clock. */
  readonly at: number
  readonly value: number | null
}

interface Track {
  readonly rate: Point[]
  readonly p50: Point[]
  readonly p99: Point[]
  last: ServerView | null
}

export class History {
  readonly #tracks = new Map<number, Track>()

  /** Takes in an answer. */
  add({ servers }: ClusterView, now: number): void {
    for (const { id, status } of servers) {
      const track = this.of(id)
      track.rate.push({ at: now, value: status === null ? null : rateBetween(track.last, status) })
      track.p50.push({ at: now, value: status?.latency?.p50Ms ?? null })
      track.p99.push({ at: now, value: status?.latency?.p99Ms ?? null })
      track.last = status
      for (const points of [track.rate, track.p50, track.p99]) {
        while (points[0] !== undefined && points[0].at < now - SPAN) points.shift()
      }
    }
  }

  of(id: number): Track {
    let track = this.#tracks.get(id)
    if (track === undefined) this.#tracks.set(id, (track = { rate: [], p50: [], p99: [], last: null }))
    return track
  }

  /** The highest value of one server, or of all: on one scale their lines can be compared. */
  highest(of: 'rate' | 'p99', id?: number): number {
    const tracks = id === undefined ? [...this.#tracks.values()] : [this.of(id)]
    return Math.max(0, ...tracks.flatMap((track) => track[of].map(({ value }) => value ?? 0)))
  }
}

/** Commands a second between two answers of one server; null if it has started anew since, or answered the same twice. */
function rateBetween(before: ServerView | null, after: ServerView): number | null {
  const passed = before === null ? 0 : after.uptimeMs - before.uptimeMs
  return before === null || passed <= 0 ? null : ((after.executed - before.executed) * 1000) / passed
}
