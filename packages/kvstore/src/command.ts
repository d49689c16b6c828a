/** The store's operations, what each answers, and the limits of keys and values. */
import { z } from 'zod'

/** Bytes of UTF-8 that a key may have; at least 1. */
export const MAX_KEY_BYTES = 4096
/** Bytes of UTF-8 that a value may have; 0 is allowed. */
export const MAX_VALUE_BYTES = 1_048_576
/** Pairs (or keys) that one page of `list` (or `keys`) may have. A page also ends once it has 2 MiB. */
export const MAX_PAGE = 10_000

/**
 * Why a text cannot be taken; null if it can. It is one check, not several: each would cost as much again, at the client and
 * at the server.
 */
function faultOf(what: string, text: string, most: number): string | null {
  // A lone surrogate has no UTF-8: it would come back as another character.
  if (!text.isWellFormed()) return `a ${what} must be well-formed Unicode, without lone surrogates`
  if (what === 'key' && text === '') return 'a key must not be empty'
  // A UTF-16 code unit becomes 1 to 3 bytes of UTF-8, so most texts need not be counted.
  if (text.length * 3 <= most) return null
  const bytes = Buffer.byteLength(text)
  return bytes <= most ? null : `a ${what} must have at most ${most} bytes, and this one has ${bytes}`
}

const text = (what: string, most: number) =>
  z.string({ error: `a ${what} must be a string` }).refine((value) => faultOf(what, value, most) === null, {
    error: ({ input }) => faultOf(what, String(input), most) ?? '',
  })

/** A key: 1 to {@link MAX_KEY_BYTES} bytes of well-formed text. `__proto__` is as good as any other. */
export const keySchema = text('key', MAX_KEY_BYTES)

/** A value: at most {@link MAX_VALUE_BYTES} bytes of well-formed text. */
export const valueSchema = text('value', MAX_VALUE_BYTES)

const prefixSchema = text('prefix', MAX_KEY_BYTES)

const page = {
  prefix: prefixSchema,
  /** Starts behind this key: the `next` of the page before; null for the first page. */
  after: keySchema.nullable(),
  limit: z.int().min(1, 'a limit must be at least 1').max(MAX_PAGE, `a limit must be at most ${MAX_PAGE}`),
}

/**
 * One operation on the store.
 * - `get`, `set`, `delete`: of one key.
 * - `cas`: if the key's value is `expected` (null: the key is absent), makes it `value` (null: deletes it).
 * - `list`, `keys`: a page of the pairs, or only the keys, that begin with `prefix`.
 * - `count`: how many keys begin with `prefix`.
 */
export const kvOpSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('get'), key: keySchema }),
  z.strictObject({ type: z.literal('set'), key: keySchema, value: valueSchema }),
  z.strictObject({ type: z.literal('delete'), key: keySchema }),
  z.strictObject({
    type: z.literal('cas'),
    key: keySchema,
    expected: valueSchema.nullable(),
    value: valueSchema.nullable(),
  }),
  z.strictObject({ type: z.literal('list'), ...page }),
  z.strictObject({ type: z.literal('keys'), ...page }),
  z.strictObject({ type: z.literal('count'), prefix: prefixSchema }),
])

export type KvOp = z.output<typeof kvOpSchema>
export type KvOpOf<Type extends KvOp['type']> = Extract<KvOp, { type: Type }>

/** A key and its value. */
export type Pair = readonly [key: string, value: string]

/** What each operation answers. `next` is the `after` of the page behind this one; null if there is none. */
export interface KvResults {
  /** null: there is no such key. */
  get: { readonly value: string | null }
  /** Whether there was a value before. */
  set: { readonly existed: boolean }
  delete: { readonly existed: boolean }
  /** Not swapped: `current` is what is there instead; null if there is no such key. */
  cas: { readonly swapped: true } | { readonly swapped: false; readonly current: string | null }
  list: { readonly entries: readonly Pair[]; readonly next: string | null }
  keys: { readonly keys: readonly string[]; readonly next: string | null }
  count: { readonly count: number }
}

export type KvResult = KvResults[keyof KvResults]

/**
 * A change, as the state tells of it: one for each `set`, for each `delete` of a key that is there, and for each `cas`
 * that did either. A value that was set again is told again.
 */
export type KvEvent =
  | { readonly type: 'set'; readonly key: string; readonly value: string }
  | { readonly type: 'delete'; readonly key: string }
