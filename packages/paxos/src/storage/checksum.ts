/** Checksums that tell not only damage, but also what belongs elsewhere. */
import { crc32 } from 'node:zlib'

/**
 * CRC-32 of the bytes from `start` to `end` (or to their own end), begun at `seed`. Two seeds never give the same checksum to the same bytes,
 * so a seed of where they belong (file and offset) catches what was written in another place.
 */
export function checksum(bytes: Uint8Array, start: number, end: number, seed: number): number {
  const length = Math.min(end, bytes.length) - start
  if (length <= 0) return seed // zlib would take nothing for a beginning
  return crc32(new Uint8Array(bytes.buffer, bytes.byteOffset + start, length), seed)
}

/** The seed of what stands at an offset of a file. */
export function seedAt(fileSeed: number, offset: number): number {
  return (fileSeed ^ offset) >>> 0
}
