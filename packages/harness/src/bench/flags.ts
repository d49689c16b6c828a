/** How the values of the bench's flags are read. */
import { InvalidArgumentError } from 'commander'
import { MAX_VALUE_BYTES } from '@synod/kvstore'
import type { Mix } from './load.js'

/** A whole number above 0. */
export function count(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It must be a whole number above 0.')
  return Number(text)
}

/** Such numbers, with commas between them. */
export function counts(text: string): number[] {
  return text.split(',').map(count)
}

/** How many servers a cluster is measured with. */
export const SERVERS: readonly number[] = [3, 5, 7]

/** One of {@link SERVERS}. */
export function servers(text: string): number {
  if (!SERVERS.some((number) => String(number) === text)) throw new InvalidArgumentError('It must be 3, 5 or 7.')
  return Number(text)
}

/** A number above 0. */
export function seconds(text: string): number {
  const number = Number(text)
  if (!(number > 0 && number <= 86_400)) throw new InvalidArgumentError('It must be a number above 0.')
  return number
}

export function valueSize(text: string): number {
  const bytes = count(text)
  if (bytes > MAX_VALUE_BYTES) throw new InvalidArgumentError(`A value has at most ${MAX_VALUE_BYTES} bytes.`)
  return bytes
}

/** Three whole numbers: reads, writes, compare-and-swaps. */
export function mix(text: string): Mix {
  const numbers = /^(\d{1,6}):(\d{1,6}):(\d{1,6})$/.exec(text)?.slice(1).map(Number)
  const [read = 0, write = 0, cas = 0] = numbers ?? []
  if (read + write + cas === 0)
    throw new InvalidArgumentError('It must be three whole numbers as in 90:9:1, not all of them 0.')
  return { read, write, cas }
}

/** `host:port`, with commas between them. */
export function hosts(text: string): string[] {
  const all = text.split(',')
  if (!all.every((host) => /^[^\s,]+:\d{1,5}$/.test(host)))
    throw new InvalidArgumentError('It must be addresses as in 127.0.0.1:10000,127.0.0.1:10001.')
  return all
}
