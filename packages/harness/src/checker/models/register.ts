/** Registers: one, or one a key. */
import type { Model } from '../model.js'
import { kvModel } from './kv.js'

const KINDS: ReadonlySet<string> = new Set(['read', 'write', 'cas'])

/** The part of a key-value store that has only `read`, `write` and `cas`. A register holds null at first. */
export const registerModel: Model<ReadonlyMap<string | null, unknown>> = {
  ...kvModel,
  name: 'register',
  misfit: ({ f }) => (KINDS.has(f) ? null : `a register has no ${f}`),
}
