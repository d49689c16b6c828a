/** What was typed in earlier prompts, kept in a file if there is a place for it. */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

const MAX_LINES = 1000

/** `$XDG_STATE_HOME/synod/<name>`, by default in `~/.local/state`: where a client keeps what is to outlive it. */
export function stateFile(name: string): string {
  const state = process.env['XDG_STATE_HOME'] ?? ''
  return join(state.startsWith('/') ? state : join(homedir(), '.local', 'state'), 'synod', name)
}

/** A history that cannot be read or written is no reason to end: the prompt works without it. */
export class History {
  readonly #file: string
  /** The newest first, as readline wants it. */
  readonly lines: string[]

  /** @param name of the file; see {@link stateFile} */
  constructor(name: string) {
    this.#file = stateFile(name)
    const all = this.#read()
    const kept = all.slice(-MAX_LINES)
    this.lines = kept.toReversed()
    if (all.length > 2 * MAX_LINES)
      this.#try(() => {
        writeFileSync(this.#file, kept.map((line) => `${line}\n`).join(''), { mode: 0o600 })
      })
  }

  /** Adds a line; of two prompts at once, each adds its own. */
  add(line: string): void {
    this.#try(() => {
      // Only for the user: there may be secrets in what was typed.
      mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 })
      appendFileSync(this.#file, `${line}\n`, { mode: 0o600 })
    })
  }

  #read(): string[] {
    let lines: string[] = []
    this.#try(() => {
      lines = readFileSync(this.#file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    })
    return lines
  }

  #try(work: () => void): void {
    try {
      work()
    } catch {
      // See above.
    }
  }
}
