/** Server commands as real processes. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { until } from './support.js'

const COUNTER_SERVER = fileURLToPath(new URL('./counter-server.js', import.meta.url))

/** A server command that runs, or ran. */
export interface Run {
  readonly child: ChildProcess
  out: string
  err: string
  code: number | null
}

/** What a test that starts processes is given. */
interface Owner {
  teardown(call: () => void | Promise<void>): void
}

/** Starts the counter's server, or another program; it is killed when the test ends. */
export function run(t: Owner, args: readonly string[], cwd?: string, program = COUNTER_SERVER): Run {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd !== undefined && { cwd }),
  })
  const state: Run = { child, out: '', err: '', code: null }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (state.out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (state.err += text))
  child.on('close', (code) => (state.code = code ?? -1))
  t.teardown(() => {
    child.kill('SIGKILL')
  })
  return state
}

/** What became of it. */
export async function ended(process: Run, ms = 20_000): Promise<{ code: number | null; err: string; out: string }> {
  await until('the process ends', () => process.code !== null, ms)
  return { code: process.code, err: process.err, out: process.out }
}
