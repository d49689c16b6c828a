/** Values that are made long on purpose, and told short: a history of megabytes is of no use to anybody. */

const PAD = '~'
const LONG = /^(v\d+)(~{64,})$/

/** The value, and as much behind it as makes so many bytes. */
export function padded(value: string, bytes: number): string {
  return value.padEnd(bytes, PAD)
}

/** A value that was padded by much as `v17~×65533`; any other one as it is. Two that differ are told differently. */
export function shortened(value: string): string
export function shortened(value: string | null): string | null
export function shortened(value: string | null): string | null {
  return value?.replace(LONG, (_, short: string, pad: string) => `${short}~×${pad.length}`) ?? null
}
