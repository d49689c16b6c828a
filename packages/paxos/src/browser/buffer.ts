/** In the place of node:buffer: what the codec uses of it. */
export { Buffer } from 'buffer/'

const decoder = new TextDecoder('utf-8', { fatal: true })

export function isUtf8(bytes: Uint8Array<ArrayBuffer>): boolean {
  try {
    decoder.decode(bytes)
    return true
  } catch {
    return false
  }
}
