/** What a whole directory holds: its log, its snapshots, and what else lies in it. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Disk } from '../storage/disk.js'
import { codeOf } from '../storage/failure.js'
import { fileName, fileNumber } from '../storage/file-header.js'
import { isSetAside } from '../storage/set-aside.js'
import { snapshotName, snapshotSlot } from '../storage/snapshot-file.js'
import type { Damage } from './damage.js'
import { badSnapshot, missing } from './damage.js'
import type { Note } from './log.js'
import type { SnapshotSurvey } from './snapshot.js'
import { surveySnapshot } from './snapshot.js'
import { LogSurvey } from './survey.js'

/** A file that is neither of the log nor a snapshot. */
export interface OtherFile {
  readonly file: string
  /** Bytes. */
  readonly size: number
  readonly what: string
}

/** All that was found. */
export interface DirectorySurvey {
  readonly log: LogSurvey
  /** The newest last. */
  readonly snapshots: readonly SnapshotSurvey[]
  readonly others: readonly OtherFile[]
  /** The first ones of the log's, and those of the snapshots. */
  readonly damages: readonly Damage[]
  readonly damageCount: number
  readonly notes: readonly Note[]
}

/** Reads all of a directory once. */
export async function surveyDirectory(disk: Disk): Promise<DirectorySurvey> {
  const log = await LogSurvey.of(disk)
  const { snapshots, others, gone } = await surveyRest(disk)
  const notes = [...log.notes, ...gone]
  const bad = [
    ...goneLog(log, snapshots, others),
    ...snapshots.flatMap((snapshot) => snapshot.damage ?? strangeness(snapshot, log)),
    ...lacking(snapshots, log),
  ]
  return {
    log,
    snapshots,
    others,
    damages: [...log.damages, ...bad],
    damageCount: log.damageCount + bad.length,
    notes,
  }
}

interface Rest {
  readonly snapshots: SnapshotSurvey[]
  readonly others: OtherFile[]
  /** Snapshots that were removed meanwhile. */
  readonly gone: Note[]
}

/** All that is not the log's. */
async function surveyRest(disk: Disk): Promise<Rest> {
  const rest: Rest = { snapshots: [], others: [], gone: [] }
  const seen = new Set<string>()
  // When one was removed, there is a newer one that was not there yet when the directory was read.
  for (let told = -1; told < rest.gone.length;) {
    told = rest.gone.length
    for (const file of await disk.list()) {
      if (fileNumber(file) !== null || seen.has(file)) continue
      seen.add(file)
      await surveyFile(disk, file, rest)
    }
  }
  rest.snapshots.sort((a, b) => a.slot - b.slot)
  return rest
}

async function surveyFile(disk: Disk, file: string, { snapshots, others, gone }: Rest): Promise<void> {
  if (snapshotSlot(file) === null) {
    const size = await sizeOf(join(disk.directory, file))
    if (size !== null) others.push({ file, size, what: describeOther(file) })
    return
  }
  const survey = await surveySnapshot(disk, file)
  if (survey !== null) snapshots.push(survey)
  else {
    const what = 'was removed while this was read: a newer one took its place'
    gone.push({ type: 'note', file, offset: null, what })
  }
}

/** There is no log, but something that only a directory with a log has. */
function goneLog(log: LogSurvey, snapshots: readonly SnapshotSurvey[], others: readonly OtherFile[]): Damage[] {
  if (log.files.length + log.damageCount > 0) return []
  const remains = snapshots[0]?.file ?? others.find(({ file }) => isSetAside(file))?.file
  if (remains === undefined) return []
  return [{ ...missing(fileName(1)), what: `the log is missing, and ${remains} says that there was one` }]
}

/** A snapshot under another one's name, or of another cluster than the log's. */
function strangeness({ file, header }: SnapshotSurvey, { files: [first] }: LogSurvey): Damage[] {
  if (header === null) return []
  const own = snapshotName(header.slot)
  if (own !== file) return [badSnapshot(file, 0, `the snapshot says that it is ${own}`)]
  if (first === undefined) return []
  const { clusterId, service, count } = header
  if (clusterId === first.clusterId && service === first.service && count === first.count) return []
  const what = `the snapshot is of another cluster, ${clusterId} (${count} servers of "${service}")`
  return [badSnapshot(file, 0, what)]
}

/** What is not in the log any more must be in a snapshot. */
function lacking(snapshots: readonly SnapshotSurvey[], { base }: LogSurvey): Damage[] {
  const collected = base?.record.collected ?? 0
  // A damaged one that reaches so far has been told of already.
  if (snapshots.some(({ slot }) => slot >= collected) || collected === 0) return []
  const what = `the snapshot is missing, and the log through slot ${collected} is collected`
  return [badSnapshot(snapshotName(collected), null, what)]
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}

function describeOther(file: string): string {
  if (isSetAside(file)) return 'set aside by a repair; may be removed'
  if (file.endsWith('.part')) return 'a snapshot that is being received'
  if (file.endsWith('.new')) return 'being made, or left behind by a crash; the server removes it'
  return 'not of Synod'
}
