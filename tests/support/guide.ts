/** A page that leads through files and commands: what it says to write, what to type, and what is printed then. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

export type Step =
  | { readonly kind: 'file'; readonly path: string; readonly text: string }
  /** `output` is a pattern: … stands for anything in a line; in a line of its own for any lines. */
  | { readonly kind: 'command'; readonly command: string; readonly output: readonly string[] }

/** The page's code blocks, in order. Throws for one that is neither a file (its name stands above it) nor commands. */
export function stepsOf(page: string): Step[] {
  const steps: Step[] = []
  const lines = page.split('\n')
  for (let at = 0; at < lines.length; at += 1) {
    const [, language] = /^```(\w*)$/.exec(lines[at] ?? '') ?? []
    if (language === undefined) continue
    const end = lines.indexOf('```', at + 1)
    const text = lines.slice(at + 1, end).join('\n') + '\n'
    const above = lines.slice(0, at).findLast((line) => line !== '') ?? ''
    const [, path] = /^`([\w./-]+)`$/.exec(above) ?? []
    if (language === 'console') steps.push(...commandsOf(text))
    else if (path !== undefined) steps.push({ kind: 'file', path, text })
    else throw new Error(`a block of ${language} without a file name above it:\n${text}`)
    at = end
  }
  return steps
}

function commandsOf(text: string): Step[] {
  const [first, ...parts] = text.split(/^\$ /m)
  if (first !== '') throw new Error(`output before the first command: ${first ?? ''}`)
  return parts.map((part) => {
    const [command = '', ...output] = part.trimEnd().split('\n')
    return { kind: 'command', command, output }
  })
}

/** Whether what was printed is what the page shows. */
export function isAsShown(printed: string, output: readonly string[]): boolean {
  const pattern = output.map((line) => (line === '…' ? '(?:.*\n)*' : `${line.split('…').map(escape).join('.*')}\n`))
  return new RegExp(`^${pattern.join('')}$`).test(printed)
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

/** What a shell says by itself of jobs that were killed: each one in its own words, so the page leaves it out. */
const JOBS = /^bash: line \d+: +\d+ (?:Killed|Terminated) .*\n/gm

/** What came of a command. */
export interface Printed {
  readonly code: number
  /** On both of its outputs. */
  readonly output: string
}

/** One shell, for all commands: its directory and its jobs stay. All that it has started ends with it. */
export class Shell {
  readonly #child: ChildProcess
  #printed = ''
  #count = 0

  constructor(cwd: string, env: Readonly<Record<string, string | undefined>>) {
    // A group of its own, so that it ends with its jobs.
    this.#child = spawn('bash', ['--noprofile', '--norc'], {
      cwd,
      env,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const take = (text: string): void => void (this.#printed += text)
    this.#child.stdout?.setEncoding('utf8').on('data', take)
    this.#child.stderr?.setEncoding('utf8').on('data', take)
  }

  /** Runs a command to its end. Throws if that takes longer than `patience` ms. */
  async run(command: string, patience: number): Promise<Printed> {
    const end = `-- command ${++this.#count} ended with`
    const ended = new RegExp(`${end} (\\d+)\\n$`)
    this.#printed = ''
    // The next command may ask for `$?`.
    this.#child.stdin?.write(`(exit $CODE); { ${command}\n} < /dev/null 2>&1\nCODE=$?; echo "${end} $CODE"\n`)
    const deadline = performance.now() + patience
    for (;;) {
      const found = ended.exec(this.#printed)
      if (found !== null)
        return { code: Number(found[1]), output: this.#printed.slice(0, found.index).replace(JOBS, '') }
      if (this.#child.exitCode !== null || performance.now() > deadline)
        throw new Error(`"${command}" did not end within ${patience} ms; it printed:\n${this.#printed}`)
      await sleep(10)
    }
  }

  async close(): Promise<void> {
    const { pid } = this.#child
    const gone = once(this.#child, 'close')
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
    await gone
  }
}
