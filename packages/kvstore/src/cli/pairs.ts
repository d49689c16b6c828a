/** The two formats that `load` reads, a pair a line. */
import { UsageError } from '@synod/terminal'
import { z } from 'zod'
import { keySchema, valueSchema, type Pair } from '../command.js'

/**
 * - `jsonl`: `{"key":"…","value":"…"}`, as `dump` and `list --json` write it.
 * - `tsv`: the key, a tab, and everything behind it as the value. Nothing is an escape.
 */
export type Format = 'jsonl' | 'tsv'

/** The longest line, in bytes: a key and a value of which every byte is escaped, and room to spare. */
export const MAX_LINE_BYTES = 8 * 1_048_576

const pairSchema = z.strictObject(
  { key: keySchema, value: valueSchema },
  { error: ({ code }) => (code === 'unrecognized_keys' ? undefined : 'this is not an object of "key" and "value"') },
)
const tsvSchema = z.tuple([keySchema, valueSchema])
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The format by the file's name or, if that does not tell, by its first line. */
export function formatOf(file: string, firstLine: Buffer): Format {
  if (/\.tsv$/i.test(file)) return 'tsv'
  if (/\.(jsonl|ndjson|json)$/i.test(file)) return 'jsonl'
  return firstLine.toString('latin1').trimStart().startsWith('{') || !firstLine.includes('\t') ? 'jsonl' : 'tsv'
}

/** Reads a line. Throws {@link UsageError} saying what is wrong with it. */
export function readPair(line: Buffer | null, format: Format): Pair {
  if (line === null) throw new UsageError(`the line is longer than ${MAX_LINE_BYTES} bytes`)
  const text = decode(line)
  if (format === 'tsv') {
    const tab = text.indexOf('\t')
    if (tab === -1) throw new UsageError('there is no tab between key and value')
    return checked(tsvSchema, [text.slice(0, tab), text.slice(tab + 1)])
  }
  const { key, value } = checked(pairSchema, parseJson(text))
  return [key, value]
}

function decode(line: Buffer): string {
  try {
    return utf8.decode(line)
  } catch {
    throw new UsageError('this is not UTF-8')
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError('this is not JSON')
  }
}

function checked<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  throw new UsageError(result.error.issues.map((issue) => issue.message).join('; '))
}
