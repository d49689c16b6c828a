/** The format of snapshot files, byte by byte. */
import t from 'tap'
import type { DiskReader } from '@synod/paxos/internal/storage/disk'
import {
  decodeSnapshotHeader,
  encodeChunk,
  encodeEnd,
  encodeSnapshotHeader,
  partSlot,
  SnapshotDamage,
  snapshotName,
  snapshotSeed,
  snapshotSlot,
} from '@synod/paxos/internal/storage/snapshot-file'
import { readChunks, readSnapshotHeader } from '@synod/paxos/internal/storage/snapshot-reader'
import { SnapshotScanner } from '@synod/paxos/internal/storage/snapshot-scanner'
import type { SnapshotChunk } from '@synod/paxos/internal/storage/snapshots'
import { CLUSTER } from './fixtures.js'

const ID = '00112233445566778899aabbccddeeff'
const HEADER = { clusterId: CLUSTER, service: 'test', count: 3, id: ID, maker: 2, slot: 2 ** 40, size: 0 }
const CHUNKS: readonly SnapshotChunk[] = [
  { section: 'head', payload: Buffer.from('the head') },
  { section: 'sessions', payload: Buffer.alloc(0) },
  { section: 'state', payload: Buffer.alloc(700, 'state') },
  { section: 'state', payload: Buffer.from('more') },
]

/** A file of these chunks. */
function fileOf(chunks: readonly SnapshotChunk[], header = HEADER): Buffer {
  const seed = snapshotSeed(header)
  const pieces: Buffer[] = []
  let [offset, bytes] = [512, 0]
  for (const chunk of chunks) {
    const piece = encodeChunk(seed, offset, chunk)
    pieces.push(piece)
    offset += piece.length
    bytes += chunk.payload.length
  }
  pieces.push(encodeEnd(seed, offset, chunks.length, bytes))
  const size = offset + (pieces.at(-1)?.length ?? 0)
  return Buffer.concat([encodeSnapshotHeader({ ...header, size }), ...pieces])
}

function readerOf(bytes: Buffer): DiskReader {
  return {
    size: bytes.length,
    read: (position, length) => Promise.resolve(Uint8Array.from(bytes.subarray(position, position + length))),
    close: () => Promise.resolve(),
  }
}

/** What a reader makes of the file; null if it finds damage. */
async function read(bytes: Buffer): Promise<readonly (readonly [string, string])[] | null> {
  const found: [string, string][] = []
  try {
    const header = await readSnapshotHeader(readerOf(bytes))
    for await (const { section, payload } of readChunks(readerOf(bytes), header)) {
      found.push([section, Buffer.from(payload).toString()])
    }
    return found
  } catch (error) {
    if (error instanceof SnapshotDamage) return null
    throw error
  }
}

/** Whether a scanner that gets the bytes in pieces of this size finds a whole file; null if it finds damage. */
function scan(bytes: Buffer, piece: number): boolean | null {
  const scanner = new SnapshotScanner()
  try {
    for (let at = 0; at < bytes.length; at += piece) scanner.push(bytes.subarray(at, at + piece))
    return scanner.whole
  } catch (error) {
    if (error instanceof SnapshotDamage) return null
    throw error
  }
}

t.test('a header comes back as it was, and tells what it is not', (t) => {
  const bytes = encodeSnapshotHeader({ ...HEADER, size: 2 ** 41 })
  t.equal(bytes.length, 512)
  t.strictSame(decodeSnapshotHeader(bytes), { ...HEADER, size: 2 ** 41 })
  t.throws(() => decodeSnapshotHeader(bytes.subarray(0, 100)), /is 100 bytes long/)
  t.throws(() => decodeSnapshotHeader(Buffer.alloc(512)), /does not begin as a snapshot does/)
  bytes[300] = 1
  t.throws(() => decodeSnapshotHeader(bytes), /has a damaged header/)
  t.end()
})

t.test('chunks come back, one by one and in pieces of any size', async (t) => {
  const bytes = fileOf(CHUNKS)
  const expected = CHUNKS.map(({ section, payload }) => [section, Buffer.from(payload).toString()])
  t.strictSame(await read(bytes), expected)
  for (let piece = 1; piece < 600; piece += 7) t.equal(scan(bytes, piece), true)
  t.strictSame(await read(fileOf([])), [], 'none are some')
})

t.test('chunks are read across the ends of what is read ahead', async (t) => {
  for (const size of [1 << 20, 1_048_559, 524_272, 349_512, 3_000_000]) {
    const chunks = Array.from({ length: 7 }, (_, i) => ({
      section: 'state' as const,
      payload: Buffer.alloc(size + i, i + 1),
    }))
    const found = await read(fileOf(chunks))
    const same = found?.every(([, text], i) => text === chunks[i]?.payload.toString())
    t.ok(found?.length === 7 && same === true, `chunks of ${size} bytes`)
  }
})

t.test('a flipped bit is found, whichever it is', async (t) => {
  const bytes = fileOf(CHUNKS)
  for (let offset = 0; offset < bytes.length; offset++) {
    const rotten = Buffer.from(bytes)
    rotten[offset] = (rotten[offset] ?? 0) ^ (1 << (offset % 8))
    if ((await read(rotten)) !== null || scan(rotten, 100) === true) t.fail(`byte ${offset} passes`)
  }
})

t.test('a file that is cut off is not whole, wherever that is', async (t) => {
  const bytes = fileOf(CHUNKS)
  for (let size = 0; size < bytes.length; size++) {
    const cut = bytes.subarray(0, size)
    if ((await read(cut)) !== null || scan(cut, 64) !== false) t.fail(`${size} bytes pass`)
  }
  t.equal(scan(Buffer.concat([bytes, Buffer.alloc(1)]), 64), null, 'nor is one with more behind it')
  t.equal(await read(Buffer.concat([bytes, Buffer.alloc(1)])), null)
})

t.test('a chunk in another place, of another file, or left out does not pass', async (t) => {
  const bytes = fileOf(CHUNKS)
  const other = fileOf(CHUNKS, { ...HEADER, id: ID.replace(/^00/, '01') })
  const foreign = Buffer.from(bytes)
  other.copy(foreign, 512, 512, 600)
  t.equal(await read(foreign), null)
  const [a, b] = [encodeChunk(snapshotSeed(HEADER), 512, { section: 'state', payload: Buffer.from('a') }).length, 512]
  const twins = fileOf([
    { section: 'state', payload: Buffer.from('a') },
    { section: 'state', payload: Buffer.from('b') },
  ])
  const swapped = Buffer.from(twins)
  twins.copy(swapped, b, b + a, b + 2 * a)
  twins.copy(swapped, b + a, b, b + a)
  t.equal(await read(swapped), null)
  const seed = snapshotSeed(HEADER)
  const first = encodeChunk(seed, 512, { section: 'state', payload: Buffer.from('a') })
  const end = encodeEnd(seed, 512 + first.length, 2, 2)
  const size = 512 + first.length + end.length
  const left = Buffer.concat([encodeSnapshotHeader({ ...HEADER, size }), first, end])
  t.equal(await read(left), null)
  t.equal(scan(left, 100), null)
})

t.test('a scanner that goes back can go on from its last whole chunk', (t) => {
  const bytes = fileOf(CHUNKS)
  for (let cut = 0; cut < bytes.length; cut++) {
    const scanner = new SnapshotScanner()
    scanner.push(bytes.subarray(0, cut))
    const { verified } = scanner
    if (!scanner.whole) scanner.rewind()
    if (scanner.position !== verified || verified > cut) t.fail(`${verified} of ${cut} bytes are good`)
    scanner.push(bytes.subarray(verified))
    if (!scanner.whole) t.fail(`cut at ${cut}`)
  }
  t.end()
})

t.test('names of snapshots are told from other names', (t) => {
  t.equal(snapshotSlot(snapshotName(17)), 17)
  t.equal(partSlot('snapshot-17.paxos.part'), 17)
  for (const name of [
    'snapshot-.paxos',
    'snapshot-017.paxos',
    'snapshot-1.paxos.new',
    'snapshot-9999999999999999.paxos',
  ]) {
    t.equal(snapshotSlot(name), null, name)
  }
  t.strictSame([partSlot('snapshot-17.paxos'), partSlot('00000001.paxos.part')], [null, null])
  t.end()
})
