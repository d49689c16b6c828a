/** What nobody can guess: keys of authors, nonces of messages. */

/** 32 hexadecimal digits, drawn anew. */
export function drawSecret(): string {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
