/**
 * Sees to it that no server outlives the harness, however that ends: a small process of its own, which reads over a pipe
 * whom to kill when the pipe breaks. (No handler in the harness runs after SIGKILL, and a server that is stopped by SIGSTOP
 * notices nothing.)
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

/** Reads `+ GROUP` and `- GROUP`. $1 is a directory to remove at the end, or empty. */
const SCRIPT = `
groups=
while read -r sign group; do
  rest=
  for other in $groups; do
    if [ "$other" != "$group" ]; then rest="$rest $other"; fi
  done
  groups=$rest
  if [ "$sign" = + ]; then groups="$groups $group"; fi
done
for group in $groups; do kill -s KILL -- "-$group"; done
if [ -n "$1" ]; then
  rm -rf -- "$1" || { sleep 1; rm -rf -- "$1"; }
fi
`

export class Guard {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  #closing = false

  /**
   * @param directory removed when this process has ended or {@link close} is called; null: none
   * @param failed told when the guard itself goes away
   */
  constructor(directory: string | null, failed: (error: Error) => void) {
    // In a session of its own: what ends the harness from a terminal must not end the guard.
    this.#child = spawn('/bin/sh', ['-c', SCRIPT, 'guard', directory ?? ''], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    })
    this.#child.stdin?.on('error', () => undefined)
    this.#ended = once(this.#child, 'exit').catch(failed)
    this.#child.once('exit', () => {
      if (!this.#closing) failed(new Error('the process that guards the servers has ended'))
    })
  }

  /** This process group is to end with the harness. */
  watch(group: number): void {
    this.#child.stdin?.write(`+ ${group}\n`)
  }

  /** This process group has ended. */
  release(group: number): void {
    this.#child.stdin?.write(`- ${group}\n`)
  }

  /** Kills what is still watched; resolves when that is done, and the directory is gone. */
  async close(): Promise<void> {
    this.#closing = true
    this.#child.stdin?.end()
    await this.#ended
  }
}
