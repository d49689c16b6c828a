/** Reads a snapshot file, chunk by chunk, each checked; nothing else of the directory is needed for it. */
import { checksum } from './checksum.js'
import type { DiskReader } from './disk.js'
import { SECTOR } from './file-header.js'
import type { SnapshotHeader } from './snapshot-file.js'
import {
  CHUNK_HEADER,
  chunkSeed,
  decodeChunkHeader,
  decodeEnd,
  END_BYTES,
  requireSnapshotHeader,
  SnapshotDamage,
  snapshotSeed,
} from './snapshot-file.js'
import type { SnapshotChunk } from './snapshots.js'

/** As much is read at a time, if the chunks are smaller (bytes). */
const AHEAD = 1 << 20

/** A chunk, and where it begins in the file. */
export interface PlacedChunk extends SnapshotChunk {
  readonly offset: number
}

/** Reads the header, and sees whether the end mark is where it should be. Throws {@link SnapshotDamage}. */
export async function readSnapshotHeader(reader: DiskReader): Promise<SnapshotHeader> {
  const header = requireSnapshotHeader(await reader.read(0, SECTOR))
  if (header.size !== reader.size) {
    throw new SnapshotDamage(`is ${reader.size} bytes long, and should be ${header.size}`, reader.size)
  }
  const end = header.size - END_BYTES
  const seed = snapshotSeed(header)
  const bytes = Buffer.from(await reader.read(end, END_BYTES))
  checkPayload(bytes.subarray(CHUNK_HEADER), decodeChunkHeader(bytes, seed, end), seed, end)
  return header
}

/** Reads all chunks, but for the end mark, which it checks. Throws {@link SnapshotDamage}. */
export async function* readChunks(reader: DiskReader, header: SnapshotHeader): AsyncGenerator<PlacedChunk> {
  const seed = snapshotSeed(header)
  const window = new Window(reader)
  let [offset, chunks, bytes] = [SECTOR, 0, 0]
  for (;;) {
    const head = decodeChunkHeader(await window.read(offset, CHUNK_HEADER), seed, offset)
    const payload = await window.read(offset + CHUNK_HEADER, head.length)
    checkPayload(payload, head, seed, offset)
    const next = offset + CHUNK_HEADER + head.length
    if (head.section === 'end') {
      const end = decodeEnd(payload)
      if (end.chunks === chunks && end.bytes === bytes && next === header.size) return
      throw new SnapshotDamage('ends with another end mark', offset)
    }
    yield { section: head.section, payload, offset }
    chunks++
    bytes += head.length
    offset = next
  }
}

function checkPayload(
  payload: Buffer,
  head: { readonly length: number; readonly checksum: number },
  seed: number,
  offset: number,
): void {
  const whole =
    payload.length === head.length && checksum(payload, 0, head.length, chunkSeed(seed, offset)) === head.checksum
  if (!whole) throw new SnapshotDamage('is damaged', offset)
}

/** Reads ahead. */
class Window {
  readonly #reader: DiskReader
  #bytes: Buffer = Buffer.alloc(0)
  #position = 0

  constructor(reader: DiskReader) {
    this.#reader = reader
  }

  /** So many bytes from a position on, or fewer at the end of the file. */
  async read(position: number, length: number): Promise<Buffer> {
    const start = position - this.#position
    if (start + length <= this.#bytes.length) return this.#bytes.subarray(start, start + length)
    const read = await this.#reader.read(position, Math.max(length, AHEAD))
    this.#bytes = Buffer.from(read.buffer, read.byteOffset, read.byteLength)
    this.#position = position
    return this.#bytes.subarray(0, length)
  }
}
