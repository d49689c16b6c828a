/** What of a log is still whole on a disk, whatever stands before and behind it. */
import { damagedRecord, readBatchHeader } from '@synod/paxos/internal/storage/batch'
import type { FileHeader } from '@synod/paxos/internal/storage/file-header'
import { decodeHeader, fileNumber, fileSeed, HeaderError, SECTOR } from '@synod/paxos/internal/storage/file-header'
import type { SimDisk } from './disk.js'

/** The numbers of all batches, seals too, that a reader of the disk could believe. */
export function intactBatches(disk: SimDisk): number[] {
  const numbers: number[] = []
  for (const { name } of disk.files()) {
    if (fileNumber(name) === null) continue
    const bytes = Buffer.from(disk.content(name))
    const header = headerOf(bytes)
    if (header === null) continue
    const seed = fileSeed(header)
    for (let offset = SECTOR; offset < bytes.length; offset += SECTOR) {
      const batch = readBatchHeader(bytes, offset, seed)
      if (batch !== null && damagedRecord(bytes, offset, batch, seed) === null) numbers.push(batch.number)
    }
  }
  return numbers
}

function headerOf(file: Buffer): FileHeader | null {
  try {
    return decodeHeader(file)
  } catch (error) {
    if (error instanceof HeaderError) return null
    throw error
  }
}
