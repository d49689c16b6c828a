/** What the kernel tells of a process. */
import { readFileSync, statSync, writeFileSync } from 'node:fs'

/** Kernel ticks a second, as /proc counts CPU time: 100 on every Linux that Node supports. */
const TICKS = 100
/** Bytes, in which /proc counts what disks do. */
const SECTOR = 512

/** CPU time of a process so far (s): user and system. */
export function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/**
 * Bytes that a process has handed to the kernel so far, for files and for sockets. (Those of files alone cannot be had: what
 * /proc calls write_bytes counts all of a large folio for each of its bytes.)
 */
export function writtenBy(pid: number): number {
  return Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1])
}

/** The most memory (bytes) that a process had resident, since its start or since {@link resetPeak}. */
export function peakOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

/** {@link peakOf} begins anew. */
export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

/** Bytes that were sent so far over the loopback interface, by all processes of this machine. */
export function loopbackBytes(): number {
  const counts = /^\s*lo:(.*)$/m.exec(readFileSync('/proc/net/dev', 'utf8'))?.[1]?.trim().split(/\s+/)
  return Number(counts?.[8])
}

/** Bytes that were written so far to the disk that holds this directory, by all processes; null if that is no disk of its own. */
export function diskBytes(directory: string): number | null {
  const { dev } = statSync(directory)
  const [major, minor] = [(dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)]
  for (const line of readFileSync('/proc/diskstats', 'utf8').split('\n')) {
    const fields = line.trim().split(/\s+/)
    if (Number(fields[0]) === major && Number(fields[1]) === minor) return Number(fields[9]) * SECTOR
  }
  return null
}
