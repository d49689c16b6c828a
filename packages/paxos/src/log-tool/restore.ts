/**
 * `synod-log restore`: the directories of a new cluster, made from one snapshot. It is another cluster, with an id of its own:
 * the votes of the old one are not in a snapshot, so its servers must never be joined by what was restored.
 */
import { randomBytes } from 'node:crypto'
import { readdir, rm, rmdir } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { realClock } from '../clock.js'
import type { Ballot } from '../protocol/ballot.js'
import type { SnapshotHead } from '../protocol/snapshot.js'
import { encodeHead, SnapshotReader } from '../server/snapshot-codec.js'
import type { DiskReader } from '../storage/disk.js'
import { codeOf } from '../storage/failure.js'
import { fileNumber } from '../storage/file-header.js'
import { FileStorage } from '../storage/file-storage.js'
import { makeDirectories, RealDisk } from '../storage/real-disk.js'
import type { SnapshotHeader } from '../storage/snapshot-file.js'
import { snapshotSlot } from '../storage/snapshot-file.js'
import { readChunks } from '../storage/snapshot-reader.js'
import type { SnapshotChunk } from '../storage/snapshots.js'
import type { Owner } from '../storage/storage.js'
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
  /** It was empty when it was locked: the files of a server that are in it are this program's. */
  begun: boolean
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
    const directory = directories[index] ?? place
    if (places.indexOf(place) < index) throw new UsageError(`${directory} is named twice`)
    const around = places.findIndex((other) => place.startsWith(other + sep))
    if (around !== -1) throw new UsageError(`${directory} lies in ${directories[around]}: each needs one of its own`)
    try {
      if ((await readdir(place)).length > 0) throw notEmpty(directory)
    } catch (error) {
      if (error instanceof UsageError || codeOf(error) === '') throw error
      if (codeOf(error) !== 'ENOENT') throw new UsageError(`${directory} cannot be used (${codeOf(error)})`)
    }
  }
}

function notEmpty(directory: string): UsageError {
  return new UsageError(`${directory} is not empty: a new cluster needs new directories`)
}

async function makeAll(source: Source, directories: readonly string[], clusterId: string): Promise<void> {
  const made: Made[] = []
  const { service } = source.header
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
      const place: Made = { directory, outermost, begun: false }
      made.push(place)
      const owner = { service, id, count: directories.length }
      const storage = await begin(directory, owner)
      place.begun = true
      await make(source, storage, { clusterId, count: owner.count }, goOn)
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

/** Removes what was made, and nothing else: others may have put something there meanwhile. */
async function remove({ directory, outermost, begun }: Made): Promise<void> {
  const names = begun ? await readdir(directory) : []
  for (const name of names.filter(isServers)) await rm(join(directory, name))
  if (outermost === null) return
  try {
    for (let place = resolve(directory); ; place = dirname(place)) {
      await rmdir(place)
      if (place === outermost) return
    }
  } catch (error) {
    if (codeOf(error) !== 'ENOTEMPTY') throw error
  }
}

function isServers(name: string): boolean {
  const whole = name.replace(/\.new$/, '')
  return fileNumber(whole) !== null || snapshotSlot(whole) !== null
}

/** Takes an empty directory. If something is in it by now, that is somebody else's. */
async function begin(directory: string, owner: Owner): Promise<FileStorage> {
  if ((await readdir(directory)).length > 0) throw notEmpty(directory)
  const storage = new FileStorage(new RealDisk(directory), realClock)
  const { formation } = await storage.open(owner)
  if (formation === 'empty') return storage
  await storage.close()
  throw notEmpty(directory)
}

/** @param goOn throws if it is not to go on */
async function make(
  { reader, header }: Source,
  storage: FileStorage,
  { clusterId, count }: { readonly clusterId: string; readonly count: number },
  goOn: () => void,
): Promise<void> {
  const { slot } = header
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
