/** Items in words. Pure. */
import { showTime } from './range.js'
import type { Item, OperationItem, SpanItem } from './rows.js'

const OUTCOME_WORDS = { ok: 'ok', fail: 'failed, without effect', info: 'unknown: it may have happened' } as const

/** The first line is a title. */
export function describe(item: Item): string[] {
  switch (item.kind) {
    case 'operation':
      return [
        title(item),
        outcome(item),
        `client ${item.process}, ${item.open ? `from ${showTime(item.from)}, without an answer` : when(item)}`,
      ]
    case 'span':
      return [standing(item), `server ${item.server}, ${item.applied} slots applied`, when(item)]
    case 'fault':
      return [item.label, `a fault of the ${item.cause}`, when(item)]
    case 'offence':
      return [`${item.check} failed`, item.detail, when(item)]
  }
}

/** `write k = "v"`, `read k`. */
export function title({ f, key, value }: OperationItem): string {
  return `${f}${key === null ? '' : ` ${key}`}${value === null ? '' : ` = ${value}`}`
}

/** `ok: "v"`, `failed, without effect: BUSY`. */
export function outcome({ outcome, result, error }: OperationItem): string {
  const said = [error, result].filter((text) => text !== null)
  return `${OUTCOME_WORDS[outcome]}${said.length === 0 ? '' : `: ${said.join(' ')}`}`
}

/** `leads at 7.2`, `follows 2 at 7.2`, `candidate at 8.1`, `silent`. */
function standing({ role, leader, ballot }: SpanItem): string {
  const stands = role === 'leader' ? 'leads' : role === 'follower' ? `follows ${leader ?? 'nobody'}` : role
  return ballot === '' ? stands : `${stands} at ${ballot}`
}

/** The same for a bar, in which there may be room for its first word only. */
export function label({ role, leader, ballot }: SpanItem): string {
  const stands = role === 'leader' ? 'leads' : role === 'follower' ? `follows ${leader ?? 'nobody'}` : role
  return ballot === '' || role === 'forming' ? stands : `${ballot} ${stands}`
}

function when({ from, to }: Item): string {
  return from === to ? `at ${showTime(from)}` : `${showTime(from)} to ${showTime(to)} (${showTime(to - from)})`
}
