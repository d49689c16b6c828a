/** What stands in which row of the timeline, from the top to the bottom. Pure. */
import type { Fault, Offence, Outcome, PageData, Span } from './data.js'
import { OUTCOMES } from './data.js'
import type { Range } from './range.js'

/** An operation of a client, from its begin to its outcome. */
export interface OperationItem extends Range {
  readonly kind: 'operation'
  readonly process: string
  readonly f: string
  readonly key: string | null
  readonly value: string | null
  readonly outcome: Outcome
  readonly result: string | null
  readonly error: string | null
  /** No outcome came; `to` is the end of the run. */
  readonly open: boolean
}
/** How a server stood for a while. */
export type SpanItem = Span & { readonly kind: 'span' }
/** A fault while it held. */
export type FaultItem = Omit<Fault, 'kind'> & { readonly kind: 'fault'; readonly cause: Fault['kind'] }
/** Where a check failed. */
export type OffenceItem = Offence & { readonly kind: 'offence' }
/** Whatever stands in a row and can be pointed at. */
export type Item = OperationItem | SpanItem | FaultItem | OffenceItem

/** A line of the timeline. */
export interface Row {
  readonly label: string
  /** Pixels from the top of the first row, and the height. */
  readonly top: number
  readonly height: number
  /** In the order of their begins. */
  readonly items: readonly Item[]
}

/** What one server's fault shades: all of the server's rows (pixels, as of {@link Row}). */
export interface Shade {
  readonly fault: FaultItem
  readonly top: number
  readonly height: number
}

/** The whole timeline, but for its axis. */
export interface Layout {
  readonly rows: readonly Row[]
  /** Of all rows together, in pixels. */
  readonly height: number
  readonly offences: readonly OffenceItem[]
  readonly shades: readonly Shade[]
  /** When there were faults that concern all. */
  readonly troubled: readonly Range[]
}

/** Faults that hold at the same time stand below each other, in so many rows at most; the rest shares the last one. */
const MOST_TRACKS = 8
const TRACK_HEIGHT = 16
const SERVER_HEIGHT = 20
/** Between groups of rows. */
const GAP = 10

/** From the top: failed checks, faults that concern all, each server with its faults, each client. */
export function layOut(data: PageData): Layout {
  const rows: Row[] = []
  const shades: Shade[] = []
  let top = GAP / 2
  const add = (label: string, height: number, items: readonly Item[]): void => {
    rows.push({ label, top, height, items })
    top += height
  }
  const addTracks = (label: string, items: readonly Item[]): void => {
    tracks(items).forEach((track, place) => add(place === 0 ? label : '', TRACK_HEIGHT, track))
  }
  const offences = data.offences.map((offence): OffenceItem => ({ kind: 'offence', ...offence })).sort(byBegin)
  addTracks('failed', offences)
  const faults = data.faults.map(({ kind, ...fault }): FaultItem => ({ kind: 'fault', cause: kind, ...fault }))
  const common = faults.filter((fault) => serverOf(fault, data) === null).sort(byBegin)
  addTracks('faults', common)
  top += GAP
  for (let server = 0; server < data.servers; server++) {
    const begin = top
    const own = faults.filter((fault) => serverOf(fault, data) === server).sort(byBegin)
    const spans = data.spans.filter((span) => span.server === server)
    add(
      `server ${server}`,
      SERVER_HEIGHT,
      spans.map((span): SpanItem => ({ kind: 'span', ...span })),
    )
    addTracks('', own)
    for (const fault of own) shades.push({ fault, top: begin, height: top - begin })
  }
  top += GAP
  const height = data.processes.length <= 12 ? 22 : data.processes.length <= 40 ? 16 : 11
  const operations = operationsOf(data)
  for (const text of data.processes) {
    const process = data.texts[text] ?? ''
    add(/^\d/.test(process) ? `client ${process}` : process, height, operations.get(process) ?? [])
  }
  return { rows, height: top + GAP / 2, offences, shades, troubled: union(common) }
}

/** The server whose rows a fault stands in; null if it concerns all. */
function serverOf({ cause, server }: FaultItem, { servers }: PageData): number | null {
  return cause === 'network' || server === null || server >= servers ? null : server
}

function byBegin(a: Range, b: Range): number {
  return a.from - b.from
}

/** Puts items, in the order of their begins, into as few tracks as they need so that none hides another. */
export function tracks(items: readonly Item[]): Item[][] {
  const found: { end: number; items: Item[] }[] = []
  for (const item of items) {
    let track = found.find(({ end }) => end <= item.from)
    if (track === undefined && found.length < MOST_TRACKS) found.push((track = { end: 0, items: [] }))
    track ??= found.at(-1)
    track?.items.push(item)
    if (track !== undefined) track.end = Math.max(track.end, item.to)
  }
  return found.map((track) => track.items)
}

/** Ranges, in the order of their begins; those that touch become one, so that their shades do not add up. */
export function union(ranges: readonly Range[]): Range[] {
  const found: { from: number; to: number }[] = []
  for (const { from, to } of ranges) {
    const last = found.at(-1)
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to)
    else found.push({ from, to })
  }
  return found
}

function operationsOf({ operations, texts, end }: PageData): Map<string, OperationItem[]> {
  const text = (index: number): string | null => texts[index] ?? null
  const byProcess = new Map<string, OperationItem[]>()
  for (const [process, f, key, value, outcome, result, error, from, to] of operations) {
    const name = text(process) ?? ''
    let items = byProcess.get(name)
    if (items === undefined) byProcess.set(name, (items = []))
    items.push({
      kind: 'operation',
      process: name,
      f: text(f) ?? '',
      key: text(key),
      value: text(value),
      outcome: OUTCOMES[outcome] ?? 'info',
      result: text(result),
      error: text(error),
      open: to === null,
      from,
      to: to ?? end,
    })
  }
  return byProcess
}
