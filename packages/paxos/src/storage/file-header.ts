/**
 * The first sector of a log file: what it is, whose it is, and where in the log. All integers are little-endian.
 *
 * | header | offset | bytes |
 * |---|---|---|
 * | `synodlog` | 0 | 8 |
 * | format version | 8 | 4 |
 * | checksum of the header, taken with zeros here | 12 | 4 |
 * | cluster id | 16 | 16 |
 * | salt: tells this file from every other one | 32 | 16 |
 * | id of the server | 48 | 4 |
 * | number of servers | 52 | 4 |
 * | number of the file | 56 | 4 |
 * | service's name, zeros behind it | 60 | 64 |
 */
import type { Owner } from './storage.js'
import { checksum } from './checksum.js'

/**
 * Batches begin at multiples of it (bytes), so that no write touches a sector with older data in it, which a torn write
 * could take along, and so that the next batch can be found after damage.
 */
export const SECTOR = 512

/** Of the files that this release writes. It reads those of version 1, too, which knew no `base` record. */
export const FORMAT_VERSION = 2

/** Bytes of {@link FileHeader.salt}. */
export const SALT_BYTES = 16

/** What a file says of itself. */
export interface FileHeader {
  /** 32 hexadecimal digits. */
  readonly clusterId: string
  readonly owner: Owner
  /** 1 for the log's first. */
  readonly file: number
  /** Random: tells this file from every other one that ever had its name. */
  readonly salt: Uint8Array
}

/** Why a file has no usable header. */
export class HeaderError extends Error {
  /** @param newer the format's version, if it is a newer one than this program knows */
  constructor(
    message: string,
    readonly newer: number | null = null,
  ) {
    super(message)
    this.name = 'HeaderError'
  }
}

/** What the first sector of a file begins with. */
export interface FileKind {
  /** 8 bytes. */
  readonly magic: Buffer
  /** Of the files that this release writes, and the highest that it reads. */
  readonly version: number
  /** Ends a sentence that begins with the file's name. */
  readonly mismatch: string
}

// Magic, version and checksum keep their places in every kind and version, so that each can tell a newer one from damage.
const VERSION = 8
const CHECKSUM = 12

const LOG: FileKind = {
  magic: Buffer.from('synodlog', 'latin1'),
  version: FORMAT_VERSION,
  mismatch: 'does not begin as a log file does',
}
const CLUSTER = 16
const SALT = 32
const SERVER = 48
const COUNT = 52
const FILE = 56
const SERVICE = 60
const SERVICE_BYTES = 64

/** A sector with a header of this kind, the rest of which `fill` writes. */
export function encodeSector({ magic, version }: FileKind, fill: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(SECTOR)
  bytes.set(magic)
  bytes.writeUInt32LE(version, VERSION)
  fill(bytes)
  bytes.writeUInt32LE(checksum(bytes, 0, SECTOR, 0), CHECKSUM)
  return bytes
}

/** A copy of the first sector of a file, if it is a whole header of this kind. Throws {@link HeaderError}. */
export function decodeSector({ magic, version, mismatch }: FileKind, file: Uint8Array): Buffer {
  if (file.length < SECTOR) throw new HeaderError(`is ${file.length} bytes long, less than a header`)
  const bytes = Buffer.from(file.subarray(0, SECTOR))
  if (!bytes.subarray(0, magic.length).equals(magic)) throw new HeaderError(mismatch)
  const expected = bytes.readUInt32LE(CHECKSUM)
  bytes.writeUInt32LE(0, CHECKSUM)
  if (checksum(bytes, 0, SECTOR, 0) !== expected) throw new HeaderError('has a damaged header')
  const found = bytes.readUInt32LE(VERSION)
  if (found > version) throw new HeaderError(`has format version ${found}`, found)
  return bytes
}

/** The text in so many bytes, with zeros behind it. */
export function textAt(bytes: Buffer, offset: number, length: number): string {
  return bytes.toString('latin1', offset, offset + length).replace(/\0+$/, '')
}

export function encodeHeader({ clusterId, owner, file, salt }: FileHeader): Buffer {
  return encodeSector(LOG, (bytes) => {
    bytes.write(clusterId, CLUSTER, 'hex')
    bytes.set(salt, SALT)
    bytes.writeUInt32LE(owner.id, SERVER)
    bytes.writeUInt32LE(owner.count, COUNT)
    bytes.writeUInt32LE(file, FILE)
    bytes.write(owner.service, SERVICE, SERVICE_BYTES, 'latin1')
  })
}

/** Reads a file's header. Throws {@link HeaderError}. */
export function decodeHeader(file: Uint8Array): FileHeader {
  const bytes = decodeSector(LOG, file)
  return {
    clusterId: bytes.toString('hex', CLUSTER, SALT),
    salt: Uint8Array.from(bytes.subarray(SALT, SERVER)),
    owner: {
      service: textAt(bytes, SERVICE, SERVICE_BYTES),
      id: bytes.readUInt32LE(SERVER),
      count: bytes.readUInt32LE(COUNT),
    },
    file: bytes.readUInt32LE(FILE),
  }
}

/** The seed of all checksums in the file: no other file has it. */
export function fileSeed({ salt, file }: FileHeader): number {
  return checksum(salt, 0, salt.length, file)
}

/** `00000001.paxos` */
export function fileName(file: number): string {
  return `${String(file).padStart(8, '0')}.paxos`
}

/** The number in the name of a log file; null for other names. */
export function fileNumber(name: string): number | null {
  return /^\d{8}\.paxos$/.test(name) ? Number(name.slice(0, 8)) : null
}

/** What a file is called until it is complete and durable. */
export function temporaryName(file: number): string {
  return `${fileName(file)}.new`
}
