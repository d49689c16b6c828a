/** What the kernel tells of a process. */
import { readFileSync } from 'node:fs'

/** Kernel ticks a second, as /proc counts CPU time: 100 on every Linux that Node supports. */
const TICKS = 100

/** CPU time of a process so far (s): user and system. */
export function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}
