/** A report as the page's script gets it: events paired to operations, samples joined to spans, texts cut and stored once. */
import type { HistoryEvent } from '../history/history.js'
import type { Fault, Offence, OperationRow, PageData, Span } from './page/data.js'
import { OUTCOMES } from './page/data.js'
import type { Report, Sample } from './report.js'
import { short } from './text.js'

/** Characters of a key, a value or a name that are shown. */
const MOST_CHARACTERS = 160

/** Texts, each once. */
class Texts {
  readonly all: string[] = []
  readonly #places = new Map<string, number>()

  add(text: string | undefined): number {
    if (text === undefined) return -1
    const shown = short(text, MOST_CHARACTERS)
    let place = this.#places.get(shown)
    if (place === undefined) {
      place = this.all.push(shown) - 1
      this.#places.set(shown, place)
    }
    return place
  }

  addValue(value: unknown): number {
    return this.add(value === undefined ? undefined : JSON.stringify(value, bigintsAsTexts))
  }
}

/** A service's operations and results may hold more than JSON can. */
function bigintsAsTexts(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value
}

/** All that the timeline shows. What checks, steps and the scenario say is on the page itself. */
export function pageData(report: Report): PageData {
  const texts = new Texts()
  const operations = operationsOf(report.history, texts)
  const processes = [...new Set(operations.map(([process]) => process))]
  const nameOf = (process: number): string => texts.all[process] ?? ''
  const times = [
    report.elapsed,
    ...report.bands.map(({ to }) => to),
    ...report.samples.map(({ time }) => time),
    ...report.history.map(({ time }) => time),
  ]
  const end = times.reduce((a, b) => Math.max(a, b), 1)
  return {
    end: micro(end),
    servers: report.scenario.servers,
    texts: texts.all,
    processes: processes.sort((a, b) => naturally(nameOf(a), nameOf(b))),
    operations,
    spans: spansOf(report.samples, end),
    faults: report.bands.map((band): Fault => ({
      ...band,
      label: short(band.label, MOST_CHARACTERS),
      ...fromTo(band),
    })),
    offences: offencesOf(report),
  }
}

/** µs are enough, and shorter. */
function micro(ms: number): number {
  return Math.round(ms * 1_000) / 1_000
}

function fromTo({ from, to }: { from: number; to: number }): { from: number; to: number } {
  return { from: micro(from), to: micro(to) }
}

function offencesOf({ checks }: Report): Offence[] {
  return checks.flatMap(({ name, ok, detail, window }) =>
    ok !== false || window === undefined
      ? []
      : [{ check: short(name, MOST_CHARACTERS), detail: short(detail, 4 * MOST_CHARACTERS), ...fromTo(window) }],
  )
}

/** In the order of their begins. One whose process begins another without an outcome of it stays open. */
function operationsOf(history: readonly HistoryEvent[], texts: Texts): OperationRow[] {
  const found: OperationRow[] = []
  const open = new Map<HistoryEvent['process'], number>()
  const row = (invoked: HistoryEvent, completed: HistoryEvent | null): OperationRow => [
    texts.add(String(invoked.process)),
    texts.add(invoked.f),
    texts.add(invoked.key ?? undefined),
    texts.addValue(invoked.value),
    OUTCOMES.indexOf(completed === null || completed.type === 'invoke' ? 'info' : completed.type),
    completed?.type === 'ok' ? texts.addValue(completed.value) : -1,
    texts.add(completed?.error),
    micro(invoked.time),
    completed === null ? null : micro(completed.time),
  ]
  const invocations: HistoryEvent[] = []
  for (const event of history) {
    if (event.type === 'invoke') {
      open.set(event.process, found.length)
      invocations.push(event)
      found.push(row(event, null))
      continue
    }
    const place = open.get(event.process)
    const invoked = place === undefined ? undefined : invocations[place]
    if (place === undefined || invoked === undefined) continue // no history that a run writes has such
    open.delete(event.process)
    found[place] = row(invoked, event)
  }
  return found
}

/** How servers stood, until they were next seen to stand otherwise. */
function spansOf(samples: readonly Sample[], end: number): Span[] {
  const spans: Span[] = []
  const last = new Map<number, Sample & { readonly from: number }>()
  const close = (server: number, to: number): void => {
    const standing = last.get(server)
    if (standing === undefined) return
    const { role, ballot, leader, applied, from } = standing
    spans.push({ server, role: short(role, 40), ballot: short(ballot, 40), leader, applied, ...fromTo({ from, to }) })
  }
  for (const sample of samples) {
    const before = last.get(sample.server)
    const same = before?.role === sample.role && before.ballot === sample.ballot && before.leader === sample.leader
    if (same) continue
    close(sample.server, sample.time)
    last.set(sample.server, { ...sample, from: sample.time })
  }
  for (const server of last.keys()) close(server, end)
  return spans.sort((a, b) => a.from - b.from || a.server - b.server)
}

/** `2` before `10`, and names without numbers last. */
function naturally(a: string, b: string): number {
  const parts = (text: string): string[] => text.match(/\d+|\D+/g) ?? []
  const [left, right] = [parts(a), parts(b)]
  for (let place = 0; place < Math.min(left.length, right.length); place++) {
    const [one, other] = [left[place] ?? '', right[place] ?? '']
    const byNumber = Number(one) - Number(other)
    if (byNumber !== 0 && !Number.isNaN(byNumber)) return byNumber
    if (one !== other) return one < other ? -1 : 1
  }
  return left.length - right.length
}
