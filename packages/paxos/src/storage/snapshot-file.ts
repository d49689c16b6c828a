/**
 * The format of a snapshot file, `snapshot-<slot>.paxos`. It says nothing of whose directory it is in, so that any server
 * of the cluster may use a copy. All integers are little-endian. First a sector (512 bytes) of header, written last:
 *
 * | header | offset | bytes |
 * |---|---|---|
 * | `synodsnp` | 0 | 8 |
 * | format version | 8 | 4 |
 * | checksum of the header, taken with zeros here | 12 | 4 |
 * | cluster id | 16 | 16 |
 * | salt: tells this file from every other one | 32 | 16 |
 * | id of the server that made it | 48 | 4 |
 * | number of servers | 52 | 4 |
 * | slot: the last that is in it | 56 | 8 |
 * | size of the file | 64 | 8 |
 * | service's name, zeros behind it | 72 | 64 |
 *
 * Then chunks, one behind the other:
 *
 * | chunk | bytes |
 * |---|---|
 * | checksum of the rest of the chunk's header | 4 |
 * | checksum of the payload | 4 |
 * | length of the payload | 4 |
 * | section: 1 head, 2 sessions, 3 events, 4 state, 0 the end mark | 4 |
 * | payload | |
 *
 * The end mark is the last one; its payload is the number of chunks before it, and of bytes in their payloads (8 bytes
 * each). A chunk's checksums are seeded by the salt and the chunk's offset, so bytes in the wrong place do not pass.
 */
import type { ServerId } from '../protocol/ballot.js'
import type { Slot } from '../protocol/command.js'
import { checksum } from './checksum.js'
import type { FileKind } from './file-header.js'
import { decodeSector, encodeSector, HeaderError, SALT_BYTES, textAt } from './file-header.js'
import type { Section, SnapshotChunk, SnapshotInfo } from './snapshots.js'

/** Of the snapshots that this release writes. */
export const SNAPSHOT_VERSION = 1

/** Bytes before a chunk's payload. */
export const CHUNK_HEADER = 16

/** No chunk is larger (bytes of payload). */
export const MAX_PAYLOAD = 256 << 20

/** What a snapshot file says of itself. */
export interface SnapshotHeader {
  /** 32 hexadecimal digits. */
  readonly clusterId: string
  readonly service: string
  /** How many servers the cluster has. */
  readonly count: number
  /** 32 hexadecimal digits: the salt. */
  readonly id: string
  readonly maker: ServerId
  readonly slot: Slot
  /** Of the whole file (bytes). */
  readonly size: number
}

/** What the bytes before a payload say. */
export interface ChunkHeader {
  readonly section: Section | 'end'
  /** Bytes of the payload. */
  readonly length: number
  readonly checksum: number
}

/** What is not as it should be, in a sentence that begins with the file's name. */
export class SnapshotDamage extends Error {
  /** @param offset where, in bytes */
  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(message)
    this.name = 'SnapshotDamage'
  }
}

const SNAPSHOT: FileKind = {
  magic: Buffer.from('synodsnp', 'latin1'),
  version: SNAPSHOT_VERSION,
  mismatch: 'does not begin as a snapshot does',
}
const CLUSTER = 16
const SALT = 32
const MAKER = 48
const COUNT = 52
const SLOT = 56
const SIZE = 64
const SERVICE = 72
const SERVICE_BYTES = 64

// The numbers are part of the file format.
const SECTIONS: readonly (Section | 'end')[] = ['end', 'head', 'sessions', 'events', 'state']
const END_PAYLOAD = 16

/** Bytes of the end mark. */
export const END_BYTES = CHUNK_HEADER + END_PAYLOAD

export function encodeSnapshotHeader({ clusterId, service, count, id, maker, slot, size }: SnapshotHeader): Buffer {
  return encodeSector(SNAPSHOT, (bytes) => {
    bytes.write(clusterId, CLUSTER, 'hex')
    bytes.write(id, SALT, 'hex')
    bytes.writeUInt32LE(maker, MAKER)
    bytes.writeUInt32LE(count, COUNT)
    bytes.writeBigUInt64LE(BigInt(slot), SLOT)
    bytes.writeBigUInt64LE(BigInt(size), SIZE)
    bytes.write(service, SERVICE, SERVICE_BYTES, 'latin1')
  })
}

/** Reads the first sector of a snapshot. Throws {@link HeaderError}. */
export function decodeSnapshotHeader(file: Uint8Array): SnapshotHeader {
  const bytes = decodeSector(SNAPSHOT, file)
  return {
    clusterId: bytes.toString('hex', CLUSTER, SALT),
    id: bytes.toString('hex', SALT, SALT + SALT_BYTES),
    maker: bytes.readUInt32LE(MAKER),
    count: bytes.readUInt32LE(COUNT),
    slot: Number(bytes.readBigUInt64LE(SLOT)),
    size: Number(bytes.readBigUInt64LE(SIZE)),
    service: textAt(bytes, SERVICE, SERVICE_BYTES),
  }
}

/** The same, where anything else than a header is damage. Throws {@link SnapshotDamage}. */
export function requireSnapshotHeader(file: Uint8Array): SnapshotHeader {
  try {
    return decodeSnapshotHeader(file)
  } catch (error) {
    if (error instanceof HeaderError) throw new SnapshotDamage(error.message, 0)
    throw error
  }
}

/** What names the file. */
export function infoOf({ slot, id, maker, size }: SnapshotHeader): SnapshotInfo {
  return { slot, id, maker, size }
}

export function sameSnapshot(a: SnapshotInfo, b: SnapshotInfo): boolean {
  return a.id === b.id && a.slot === b.slot && a.maker === b.maker && a.size === b.size
}

/** The seed of all checksums in the file but the header's. */
export function snapshotSeed({ id }: Pick<SnapshotHeader, 'id'>): number {
  return checksum(Buffer.from(id, 'hex'), 0, SALT_BYTES, 0)
}

/** The seed of the checksums of the chunk that begins at an offset. */
export function chunkSeed(seed: number, offset: number): number {
  const place = Buffer.alloc(8)
  place.writeBigUInt64LE(BigInt(offset))
  return checksum(place, 0, place.length, seed)
}

/** A chunk's bytes, for this offset of the file. Throws RangeError if the payload is larger than {@link MAX_PAYLOAD}. */
export function encodeChunk(seed: number, offset: number, { section, payload }: SnapshotChunk): Buffer {
  if (payload.length > MAX_PAYLOAD) throw new RangeError(`a chunk of ${payload.length} bytes`)
  return encode(seed, offset, SECTIONS.indexOf(section), payload)
}

/** The end mark behind so many chunks, with so many bytes of payload. */
export function encodeEnd(seed: number, offset: number, chunks: number, bytes: number): Buffer {
  const payload = Buffer.alloc(END_PAYLOAD)
  payload.writeBigUInt64LE(BigInt(chunks), 0)
  payload.writeBigUInt64LE(BigInt(bytes), 8)
  return encode(seed, offset, 0, payload)
}

/** What an end mark's payload says. */
export function decodeEnd(payload: Buffer): { readonly chunks: number; readonly bytes: number } {
  return { chunks: Number(payload.readBigUInt64LE(0)), bytes: Number(payload.readBigUInt64LE(8)) }
}

/** Reads what stands before a payload. Throws {@link SnapshotDamage}. */
export function decodeChunkHeader(bytes: Buffer, seed: number, offset: number): ChunkHeader {
  if (bytes.length < CHUNK_HEADER) throw new SnapshotDamage('ends before its end mark', offset)
  const section = SECTIONS[bytes.readUInt32LE(12)]
  const length = bytes.readUInt32LE(8)
  const whole = checksum(bytes, 4, CHUNK_HEADER, chunkSeed(seed, offset)) === bytes.readUInt32LE(0)
  const sound = section === 'end' ? length === END_PAYLOAD : length <= MAX_PAYLOAD
  if (!whole || !sound || section === undefined) throw new SnapshotDamage('is damaged', offset)
  return { section, length, checksum: bytes.readUInt32LE(4) }
}

function encode(seed: number, offset: number, section: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(CHUNK_HEADER + payload.length)
  const own = chunkSeed(seed, offset)
  bytes.writeUInt32LE(checksum(payload, 0, payload.length, own), 4)
  bytes.writeUInt32LE(payload.length, 8)
  bytes.writeUInt32LE(section, 12)
  bytes.writeUInt32LE(checksum(bytes, 4, CHUNK_HEADER, own), 0)
  bytes.set(payload, CHUNK_HEADER)
  return bytes
}

/** `snapshot-17.paxos` */
export function snapshotName(slot: Slot): string {
  return `snapshot-${slot}.paxos`
}

/** What a snapshot is called until it is complete and durable. */
export function newSnapshotName(slot: Slot): string {
  return `${snapshotName(slot)}.new`
}

/** What a snapshot is called while it comes from a peer. */
export function partName(slot: Slot): string {
  return `${snapshotName(slot)}.part`
}

/** The slot in the name of a snapshot; null for other names. */
export function snapshotSlot(name: string): Slot | null {
  const slot = Number(/^snapshot-(\d{1,16})\.paxos$/.exec(name)?.[1] ?? NaN)
  return Number.isSafeInteger(slot) && snapshotName(slot) === name ? slot : null
}

/** The slot in the name of a snapshot that is coming; null for other names. */
export function partSlot(name: string): Slot | null {
  return name.endsWith('.part') ? snapshotSlot(name.slice(0, -'.part'.length)) : null
}
