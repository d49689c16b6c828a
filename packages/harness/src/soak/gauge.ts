/** What a server's process and its directory take, as the kernel tells it. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Bytes that are in memory of a process (its resident set); null if it is gone. */
export function memoryOf(pid: number): number | null {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kilobytes === undefined ? null : Number(kilobytes) * 1024
  } catch {
    return null
  }
}

/** How many file descriptors a process has open; null if it is gone. */
export function descriptorsOf(pid: number): number | null {
  try {
    return readdirSync(`/proc/${pid}/fd`).length
  } catch {
    return null
  }
}

/** Bytes of disk that the files of a directory take, with what is reserved ahead. */
export function diskOf(directory: string): number {
  let bytes = 0
  for (const name of names(directory)) {
    const found = statSync(join(directory, name), { throwIfNoEntry: false }) // it may have gone meanwhile
    if (found !== undefined) bytes += Math.max(found.size, found.blocks * 512)
  }
  return bytes
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
