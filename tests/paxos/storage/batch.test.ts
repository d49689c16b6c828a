/** Batches as bytes: whole where they belong, and nothing anywhere else. */
import t from 'tap'
import { BatchBuilder, damagedRecord, payloads, readBatchHeader } from '@synod/paxos/internal/storage/batch'
import { fileSeed } from '@synod/paxos/internal/storage/file-header'
import { CLUSTER, OWNER } from './fixtures.js'

const header = { clusterId: CLUSTER, owner: OWNER, file: 3, salt: new Uint8Array(16).fill(7) }
const seed = fileSeed(header)
const NUMBER = 2 ** 40 + 5

/** A file with one batch, of these payloads, at the offset. */
function fileWith(offset: number, contents: readonly string[]): Buffer {
  const builder = new BatchBuilder()
  for (const content of contents) builder.add(Buffer.from(content))
  const file = Buffer.alloc(8192)
  file.set(builder.finish(NUMBER, 99, seed, offset).bytes, offset)
  return file
}

t.test('a batch is read as it was written', (t) => {
  const contents = ['', 'one', 'x'.repeat(2000)]
  const file = fileWith(1024, contents)
  const found = readBatchHeader(file, 1024, seed)
  if (found === null) throw new Error('no header')
  t.match(found, { number: NUMBER, previous: 99, count: 3 })
  t.equal(damagedRecord(file, 1024, found, seed), null)
  t.strictSame(
    [...payloads(file, 1024, found)].map(({ bytes }) => bytes.toString()),
    contents,
  )
  t.end()
})

t.test('a batch is none at another offset, in a file of another salt, or of another number', (t) => {
  const file = fileWith(512, ['one'])
  const moved = Buffer.alloc(8192)
  file.copy(moved, 1024, 512, 1024)
  t.ok(readBatchHeader(file, 512, seed))
  t.equal(readBatchHeader(moved, 1024, seed), null)
  t.equal(readBatchHeader(file, 512, fileSeed({ ...header, salt: new Uint8Array(16).fill(8) })), null)
  t.equal(readBatchHeader(file, 512, fileSeed({ ...header, file: 4 })), null)
  t.end()
})

t.test('a record that was written in the place of one of the same length is damage', (t) => {
  const file = fileWith(512, ['a'.repeat(1016), 'b'.repeat(1016)])
  const found = readBatchHeader(file, 512, seed)
  if (found === null) throw new Error('no header')
  const second = 512 + 28 + 1024
  file.copyWithin(second, second - 1024, second)
  t.equal(damagedRecord(file, 512, found, seed), second)
  t.end()
})

t.test('a builder is used again, after a large batch too', (t) => {
  const builder = new BatchBuilder()
  builder.add(Buffer.alloc(3 << 20))
  t.equal(builder.size % 512, 0)
  builder.clear()
  t.strictSame([builder.count, builder.size], [0, 512])
  builder.add(Buffer.from('again'))
  const file = Buffer.alloc(1024)
  file.set(builder.finish(1, 0, seed, 0).bytes)
  const found = readBatchHeader(file, 0, seed)
  if (found === null) throw new Error('no header')
  t.equal([...payloads(file, 0, found)].map(({ bytes }) => bytes.toString()).join(), 'again')
  t.ok(file.subarray(found.end).every((byte) => byte === 0))
  t.end()
})
