/** Commands from standard input that is not a terminal. */
import { createInterface } from 'node:readline'
import { EXIT_DONE, EXIT_UNAVAILABLE } from '@synod/terminal'
import type { Interpreter } from './interpreter.js'

/**
 * Runs line after line. A "no" or a wrong line is no reason to stop, but a cluster that cannot be reached is. Answers with
 * the highest exit code that a line had.
 */
export async function script(interpreter: Interpreter): Promise<number> {
  const { signal } = new AbortController()
  let worst = EXIT_DONE
  let number = 0
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    number += 1
    const code = await interpreter.run(line, signal, `line ${number}: `)
    if (code === 'end') break
    worst = Math.max(worst, code)
    if (code === EXIT_UNAVAILABLE) break
  }
  return worst
}
