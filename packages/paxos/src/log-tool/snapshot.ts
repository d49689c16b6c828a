/** What one snapshot file holds, and whether all of it is whole. */
import { showBallot } from '../protocol/ballot.js'
import type { SnapshotHead } from '../protocol/snapshot.js'
import { SnapshotReader } from '../server/snapshot-codec.js'
import type { Disk, DiskReader } from '../storage/disk.js'
import { codeOf, reason } from '../storage/failure.js'
import { HeaderError, SECTOR } from '../storage/file-header.js'
import type { SnapshotHeader } from '../storage/snapshot-file.js'
import { decodeSnapshotHeader, SnapshotDamage, snapshotSlot } from '../storage/snapshot-file.js'
import { readChunks, readSnapshotHeader } from '../storage/snapshot-reader.js'
import type { Section } from '../storage/snapshots.js'
import { StorageError } from '../storage/storage.js'
import type { Damage } from './damage.js'
import { badSnapshot } from './damage.js'
import { counted, grouped, sized } from './output.js'

/** What is in a section. */
export interface SectionCount {
  chunks: number
  /** Of the chunks' payloads. */
  bytes: number
  /** Sessions, slots with events, or the state's entries; 1 of the head. */
  entries: number
}

/** One snapshot file. Its fields have the names that `--json` shows. */
export interface SnapshotSurvey {
  readonly file: string
  /** Of the file (bytes). */
  readonly size: number
  /** null if it cannot be read. */
  readonly header: SnapshotHeader | null
  /** The last slot that is in it, as its header says, or else its name; 0 if none does. */
  readonly slot: number
  /** null if it cannot be read. */
  readonly head: SnapshotHead | null
  readonly sections: Readonly<Record<Section, SectionCount>>
  readonly damage: Damage | null
}

/** What comes of a snapshot's chunks. */
export interface SnapshotContent {
  readonly section: Section
  readonly payloadBytes: number
  /** Of a chunk of the state. */
  readonly entries: readonly unknown[] | null
}

/** Opens a file to be read; null if it is not there (any more). */
export async function openFile(disk: Disk, file: string): Promise<DiskReader | null> {
  try {
    return await disk.openReader(file)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}

/** Reads a snapshot's header. */
export async function headerOf(file: string, reader: DiskReader): Promise<SnapshotHeader | Damage> {
  try {
    return decodeSnapshotHeader(await reader.read(0, SECTOR))
  } catch (error) {
    if (codeOf(error) === 'EIO') return unreadable(file, 0, error)
    if (!(error instanceof HeaderError)) throw error
    if (error.newer === null) return badSnapshot(file, 0, `the file ${error.message}`)
    const what = `the snapshot ${error.message}, which this release does not know`
    return { ...badSnapshot(file, 0, what), code: 'NEWER_FORMAT' }
  }
}

/** Reads and checks all chunks: gives their content, and at the end what is wrong, if anything is. */
export async function* readContent(
  file: string,
  reader: DiskReader,
  content: SnapshotReader,
): AsyncGenerator<SnapshotContent, Damage | null> {
  let [chunks, offset] = [0, SECTOR]
  try {
    const header = await readSnapshotHeader(reader)
    for await (const chunk of readChunks(reader, header)) {
      offset = chunk.offset
      const entries = content.take(chunk)
      yield { section: chunk.section, payloadBytes: chunk.payload.length, entries }
      chunks++
    }
    const { head } = content.finish()
    if (head.slot === header.slot && head.servers === header.count) return null
    return badSnapshot(file, SECTOR, `the snapshot's head is of slot ${head.slot}, its header of slot ${header.slot}`)
  } catch (error) {
    const behind = chunks === 0 ? '' : `, behind ${counted(chunks, 'whole chunk')}`
    if (error instanceof SnapshotDamage)
      return badSnapshot(file, error.offset, `the snapshot ${error.message}${behind}`)
    if (error instanceof StorageError) return badSnapshot(file, offset, error.message)
    if (codeOf(error) === 'EIO') return unreadable(file, offset, error)
    throw error
  }
}

/** What the disk does not give is damaged: a server takes it for that, too. */
function unreadable(file: string, offset: number, error: unknown): Damage {
  return badSnapshot(file, offset, `the snapshot cannot be read from here on (${reason(error)})`)
}

/** Reads all of a snapshot; null if it is not there (any more). */
export async function surveySnapshot(disk: Disk, file: string): Promise<SnapshotSurvey | null> {
  const reader = await openFile(disk, file)
  if (reader === null) return null
  try {
    return await survey(file, reader)
  } finally {
    await reader.close()
  }
}

async function survey(file: string, reader: DiskReader): Promise<SnapshotSurvey> {
  const sections = { head: none(), sessions: none(), events: none(), state: none() }
  const header = await headerOf(file, reader)
  const found = { file, size: reader.size, sections }
  if ('what' in header) return { ...found, header: null, slot: snapshotSlot(file) ?? 0, head: null, damage: header }
  const content = new SnapshotReader()
  const reading = readContent(file, reader, content)
  for (;;) {
    const step = await reading.next()
    if (step.done === true) {
      if (step.value === null) {
        const { sessions, events } = content.finish()
        sections.sessions.entries = [...sessions].length
        // The first one is the oldest slot.
        sections.events.entries = [...events].length - 1
      }
      return { ...found, header, slot: header.slot, head: content.head, damage: step.value }
    }
    const { section, payloadBytes, entries } = step.value
    sections[section].chunks++
    sections[section].bytes += payloadBytes
    sections[section].entries += section === 'head' ? 1 : (entries?.length ?? 0)
  }
}

function none(): SectionCount {
  return { chunks: 0, bytes: 0, entries: 0 }
}

/** For programs. */
export function snapshotToJson({ header, head, ...rest }: SnapshotSurvey): Record<string, unknown> {
  return { ...rest, ...header, ballot: head?.ballot ?? null, chain: head?.chain ?? null }
}

/** For people. */
export function describeSnapshot({ file, size, header, head, sections, damage }: SnapshotSurvey): string[] {
  if (header === null) return [`${file}: ${sized(size)}, of which nothing can be read`]
  const { service, count, clusterId, slot, maker, id } = header
  const lines = [
    `${file}: through slot ${grouped(slot)}, ${sized(size)}, made by server ${maker}, id ${id}`,
    `  ${count} servers of the service "${service}", cluster ${clusterId}`,
  ]
  if (head !== null) lines.push(`  chosen at or below ballot ${showBallot(head.ballot)}, chain ${head.chain.hash}`)
  if (damage !== null) return lines
  const { sessions, events, state } = sections
  const stateSize = `${sized(state.bytes)} in ${counted(state.chunks, 'chunk')}`
  return [
    ...lines,
    `  ${counted(sessions.entries, 'session')} (${sized(sessions.bytes)}), events of ${counted(events.entries, 'slot')} (${sized(events.bytes)})`,
    `  ${counted(state.entries, 'entry', 'entries')} of the state (${stateSize})`,
  ]
}
