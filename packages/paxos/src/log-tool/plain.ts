/** Values of a service as JSON, and as text that does nothing to a terminal. */
import { unpackValue } from '../codec/values.js'
import { SynodError } from '../protocol/error.js'

/** The packed value as JSON can show it; `{"bytes"}` in base64 if it is not a value that the services' codec wrote. */
export function plainOf(packed: Uint8Array): unknown {
  try {
    return plain(unpackValue(packed))
  } catch (error) {
    if (!(error instanceof SynodError)) throw error
    return bytesOf(packed)
  }
}

/** Replaces what JSON has not: bytes by `{"bytes"}` in base64, dates and large integers by texts, `undefined` by null. */
export function plain(value: unknown): unknown {
  if (value === undefined) return null
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return bytesOf(value)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (Array.isArray(value)) return value.map(plain)
  // Without a prototype, so that a key such as __proto__ is one like any other.
  const object = Object.create(null) as Record<string, unknown>
  for (const [key, item] of Object.entries(value)) object[key] = plain(item)
  return object
}

function bytesOf(bytes: Uint8Array): { bytes: string } {
  return { bytes: Buffer.from(bytes).toString('base64') }
}

/** Text of others in one line: what a terminal would take for a command, or not show, is an escape. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Surrogate}\p{Zl}\p{Zp}]/gu, (character) =>
    [...Array(character.length).keys()]
      .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
      .join(''),
  )
}
