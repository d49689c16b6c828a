/** Writing to standard output, and numbers for people. */
import { once } from 'node:events'
import { EXIT_DAMAGED } from './usage.js'

/**
 * Whoever reads the output may stop reading (`… | head`): then this ends quietly. Output that cannot be written otherwise (a
 * full disk) is told. To be called before the first output.
 */
export function endWithReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0)
      if (stream === process.stdout)
        process.stderr.write(`synod-log: the output cannot be written (${error.message})\n`)
      process.exit(EXIT_DAMAGED)
    })
  }
}

/** Output is handed on in pieces of about this many characters. */
const PIECE = 65_536

let waiting = ''

/** Writes a line, at the speed of whoever reads it; sooner or later, see {@link flush}. */
export async function print(line: string): Promise<void> {
  waiting += `${line}\n`
  if (waiting.length >= PIECE) await flush()
}

/** Hands on all that was printed. */
export async function flush(): Promise<void> {
  const piece = waiting
  waiting = ''
  if (piece !== '' && !process.stdout.write(piece)) await once(process.stdout, 'drain')
}

/** `12,345`; the same on every machine. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 record`, `2 records`. */
export function counted(count: number, thing: string, things = `${thing}s`): string {
  return `${grouped(count)} ${count === 1 ? thing : things}`
}

/** `1.5 MiB` */
export function sized(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  let [amount, unit] = [bytes, 0]
  for (; amount >= 1024 && unit < units.length - 1; unit++) amount /= 1024
  return `${unit === 0 ? amount : amount.toFixed(1)} ${units[unit] ?? ''}`
}
