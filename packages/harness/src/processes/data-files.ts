/** Damage to the files of a data directory, as it is on the real disk. */
import { open, readdir, readFile, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { Prng } from '@synod/paxos/internal/protocol/prng'
import type { Place } from '../world/world.js'

const LOG = /^\d+\.paxos$/
const SNAPSHOT = /^snapshot-(\d+)\.paxos$/

/** Flips a bit of one byte; a sentence if there is no such byte. */
export async function corrupt(directory: string, place: Place, prng: Prng): Promise<string | null> {
  const found = await find(directory, place.file)
  if (typeof found === 'string') return found
  const { path, bytes, written } = found
  if (written === 0) return `${path} has nothing in it`
  const { offset = place.tail === undefined ? prng.below(written) : written - place.tail } = place
  const byte = bytes[offset]
  if (byte === undefined) return `${path} has no byte ${offset}: ${written} are written, of ${bytes.length}`
  const changed = Uint8Array.of(byte ^ (1 << prng.below(8)))
  await change(path, (file) => file.write(changed, 0, 1, offset))
  return null
}

/** Cuts so many bytes off the end of what was written. */
export async function truncate(directory: string, name: string | undefined, count: number): Promise<string | null> {
  const found = await find(directory, name)
  if (typeof found === 'string') return found
  const { path, written } = found
  if (count > written) return `${path} has only ${written} bytes written`
  await change(path, (file) => file.truncate(written - count))
  return null
}

/** Bytes of all files together. */
export async function usedBytes(directory: string): Promise<number> {
  const names = await list(directory)
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(directory, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

interface Found {
  readonly path: string
  readonly bytes: Uint8Array
  /** Where what was written ends: room that is reserved behind it is zeros. */
  readonly written: number
}

/**
 * A file by its name, the first or last one of the log (the last, if none is named), or the newest snapshot; a sentence if it
 * is not there.
 */
async function find(directory: string, name = 'last'): Promise<Found | string> {
  const names = await list(directory)
  const wanted = named(names, name)
  if (wanted === undefined)
    return name === 'snapshot' || names.some((other) => LOG.test(other))
      ? `there is no ${name === 'snapshot' ? name : `file ${name}`} in ${directory}`
      : `there is no log in ${directory}`
  const path = join(directory, wanted)
  const bytes = await readFile(path)
  return { path, bytes, written: bytes.findLastIndex((byte) => byte !== 0) + 1 }
}

function named(names: readonly string[], name: string): string | undefined {
  if (name === 'snapshot') return newestSnapshot(names)
  const log = names.filter((other) => LOG.test(other))
  return name === 'first' ? log[0] : name === 'last' ? log.at(-1) : names.find((other) => other === name)
}

/** Of the names in a data directory, that of the snapshot through the highest slot. */
export function newestSnapshot(names: readonly string[]): string | undefined {
  const slotOf = (name: string): number => Number(SNAPSHOT.exec(name)?.[1] ?? -1)
  return names.filter((name) => slotOf(name) >= 0).sort((a, b) => slotOf(b) - slotOf(a))[0]
}

async function change(path: string, how: (file: FileHandle) => Promise<unknown>): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await how(file)
  } finally {
    await file.close()
  }
}

async function list(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
