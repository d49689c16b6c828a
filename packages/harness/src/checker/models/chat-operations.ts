/** What a history's operations say of a room's messages. */
import type { Operation } from '../model.js'
import { isSame } from './values.js'

/** The place in the room that an append was told, from 1; 0 if it was told none. */
export function numberOf({ f, argument, outcome, result }: Operation): number {
  if (f !== 'append' || outcome !== 'ok' || isSame(argument, result)) return 0
  const { number } = (result ?? {}) as { readonly number?: unknown }
  return Number.isSafeInteger(number) ? Number(number) : 0
}

/** Which message an edit or erase is of, and what it becomes. */
export function changeOf({
  f,
  argument,
}: Pick<Operation, 'f' | 'argument'>): readonly [number: number, message: unknown] {
  return f === 'edit' ? (argument as [number, unknown]) : [argument as number, null]
}
