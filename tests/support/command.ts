/** Runs a command as a user would, and tells what it said. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { COMMANDS } from './cluster.js'

export interface Outcome {
  /** null: a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A command that hangs is killed after this time, ms, unless the caller says another one: its code is then null. */
const PATIENCE = 60_000

/** Runs `node` with a script and arguments; `input` is what it finds on standard input. */
export async function run(
  script: string,
  args: readonly string[],
  {
    input = '',
    env = {},
    patience = PATIENCE,
  }: { input?: string; env?: Readonly<Record<string, string>>; patience?: number } = {},
): Promise<Outcome> {
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    timeout: patience,
    killSignal: 'SIGKILL',
  })
  // A command that ends before it has read all its input is no error of the test.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const code = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: await code, stdout, stderr }
}

/** Runs `kvstore-client`. */
export function kvClient(args: readonly string[], options: { input?: string } = {}): Promise<Outcome> {
  return run(join(COMMANDS, 'kvstore-client.js'), args, options)
}
