/**
 * `synod-log restore`: the directories of a new cluster, made from one snapshot. It is another cluster, with an id of its own:
 * the votes of the old one are not in a snapshot, so its servers must never be joined by what was restored.
 */
import { randomBytes } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { realClock } from '../clock.js'
import type { Ballot } from '../protocol/ballot.js'
import type { SnapshotHead } from '../protocol/snapshot.js'
import { encodeHead, SnapshotReader } from '../server/snapshot-codec.js'
import type { DiskReader } from '../storage/disk.js'
import { codeOf } from '../storage/failure.js'
import { FileStorage } from '../storage/file-storage.js'
import { makeDirectories, RealDisk } from '../storage/real-disk.js'
import type { SnapshotHeader } from '../storage/snapshot-file.js'
import { readChunks } from '../storage/snapshot-reader.js'
import type { SnapshotChunk } from '../storage/snapshots.js'
import { StorageError } from '../storage/storage.js'
import { MAX_SERVERS } from '../transport/wire.js'
import { showDamage } from './damage.js'
import { counted, print } from './output.js'
import { openFile, surveySnapshot } from './snapshot.js'
import { targetAt } from './target.js'
import { EXIT_WHOLE, UsageError } from './usage.js'
import { judge } from './verify.js'

/** The snapshot that is restored. */
interface Source {
  readonly reader: DiskReader
  readonly header: SnapshotHeader
}

/** A directory that is made: what of it was not there before. */
interface Made {
  readonly directory: string
  /** The outermost directory that was made for it; null if it was there, and empty. */
  readonly outermost: string | null
}

/**
 * Makes the directories and verifies them; if that does not go well, removes what it made. Prints what comes of it. Answers
 * with the exit code. Throws {@link UsageError} for what cannot be, StorageError for what goes wrong with a disk.
 */
export async function restore(path: string, directories: readonly string[], json: boolean): Promise<number> {
  await checkPlaces(directories)
  const target = await targetAt(path)
  if (target.type !== 'snapshot')
    throw new UsageError(`${path} is no snapshot file: name one, such as snapshot-4711.paxos`)
  const survey = await surveySnapshot(target.disk, target.file)
  const reader = await openFile(target.disk, target.file)
  if (survey === null || reader === null) throw new UsageError(`there is no ${path}`)
  try {
    const { damage, header } = survey
    if (damage !== null || header === null) {
      throw new StorageError('BAD_SNAPSHOT', `${damage === null ? path : showDamage(damage)}; take another copy`)
    }
    const clusterId = randomBytes(16).toString('hex')
    await makeAll({ reader, header }, directories, clusterId)
    for (const line of json ? [toJson(header, clusterId, directories)] : describe(header, clusterId, directories)) {
      await print(line)
    }
    return EXIT_WHOLE
  } finally {
    await reader.close()
  }
}

/** Each must be empty, or not there, and another one than the others. */
async function checkPlaces(directories: readonly string[]): Promise<void> {
  if (directories.length > MAX_SERVERS) throw new UsageError(`a cluster has at most ${MAX_SERVERS} servers`)
  const places = directories.map((directory) => resolve(directory))
  for (const [index, place] of places.entries()) {
    if (places.indexOf(place) < index) throw new UsageError(`${directories[index]} is named twice`)
    try {
      if ((await readdir(place)).length > 0) {
        throw new UsageError(`${directories[index]} is not empty: a new cluster needs new directories`)
      }
    } catch (error) {
      if (error instanceof UsageError || codeOf(error) === '') throw error
      if (codeOf(error) !== 'ENOENT') throw new UsageError(`${directories[index]} cannot be used (${codeOf(error)})`)
    }
  }
}

async function makeAll(source: Source, directories: readonly string[], clusterId: string): Promise<void> {
  const made: Made[] = []
  let signal: NodeJS.Signals | null = null
  const onSignal = (received: NodeJS.Signals): void => {
    signal = received
  }
  const goOn = (): void => {
    if (signal !== null) throw new StorageError('UNUSABLE', `ended by ${signal}: nothing was restored`)
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  try {
    for (const [id, directory] of directories.entries()) {
      const [outermost = null] = await makeDirectories(resolve(directory))
      made.push({ directory, outermost })
      await make(source, directory, { clusterId, id, count: directories.length }, goOn)
      const verdict = await judge(directory)
      const [damage] = verdict.damages
      if (damage !== undefined)
        throw new StorageError('CORRUPT', `${directory}/${showDamage(damage)}, just after it was written`)
    }
  } catch (error) {
    for (const each of made.reverse()) await remove(each)
    throw error
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}

async function remove({ directory, outermost }: Made): Promise<void> {
  if (outermost !== null) await rm(outermost, { recursive: true, force: true })
  else for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true, force: true })
}

/** @param goOn throws if it is not to go on */
async function make(
  { reader, header }: Source,
  directory: string,
  { clusterId, id, count }: { readonly clusterId: string; readonly id: number; readonly count: number },
  goOn: () => void,
): Promise<void> {
  const { service, slot } = header
  const storage = new FileStorage(new RealDisk(directory), realClock)
  await storage.open({ service, id, count })
  try {
    await storage.form(clusterId)
    const writer = await storage.snapshots.create(slot)
    const content = new SnapshotReader()
    let ballot: Ballot | null = null
    for await (const chunk of readChunks(reader, header)) {
      goOn()
      content.take(chunk)
      const { head } = content
      if (head === null) throw new StorageError('BAD_SNAPSHOT', 'the snapshot has no head')
      ballot ??= ballotFor(head)
      const isHead = chunk.section === 'head'
      const copy: SnapshotChunk = isHead ? encodeHead({ ...head, ballot, servers: count }, content.pieces) : chunk
      await writer.add(copy)
    }
    await writer.finish()
    if (ballot === null) throw new StorageError('BAD_SNAPSHOT', 'the snapshot has no head')
    const decided = { decidedBallot: ballot, decided: slot + 1 }
    await storage.append([{ type: 'formed' }, { type: 'base', collected: slot, ballot, ...decided, lives: [] }])
  } finally {
    await storage.close()
  }
}

/** A ballot as high as that of the snapshot, of a server that any cluster has. Nothing was ever proposed at it. */
function ballotFor({ ballot }: SnapshotHead): Ballot {
  return { round: ballot.round, server: 0, start: 0 }
}

function toJson({ slot, service }: SnapshotHeader, clusterId: string, directories: readonly string[]): string {
  return JSON.stringify({
    clusterId,
    service,
    slot,
    directories: directories.map((path, server) => ({ server, path })),
  })
}

function describe({ slot, service }: SnapshotHeader, clusterId: string, directories: readonly string[]): string[] {
  const count = directories.length
  return [
    `Restored all through slot ${slot} into a new cluster of ${counted(count, 'server')}, ${clusterId}:`,
    ...directories.map((path, server) => `  server ${server}: ${path}`),
    `Start each with ${service}-server --id <its number> --data-dir <its directory>, and the addresses of all.`,
  ]
}
