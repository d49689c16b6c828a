/** `chatroom-client` on a pseudo terminal of util-linux's `script`, and what its user sees, by xterm.js. */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import xterm from '@xterm/headless'
import { until, type Owner } from '../support/cluster.js'
import { COMMANDS } from './servers.js'

/** How long anything that is to be seen may take (ms). */
const PATIENCE = 20_000

/** In what a shell reads, a word that it leaves alone. */
const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

export class Tty {
  readonly #directory = mkdtempSync(join(tmpdir(), 'synod-tty-'))
  readonly #terminal: xterm.Terminal
  readonly #child: ChildProcessWithoutNullStreams
  /** Everything that it wrote, as it came. */
  raw = ''

  /** Starts the client. Each user has a state directory of his own, which ends with the test, unless one is given. */
  constructor(owner: Owner, args: readonly string[], { columns = 100, rows = 20, state = '' } = {}) {
    this.#terminal = new xterm.Terminal({ cols: columns, rows, scrollback: 10_000, allowProposedApi: true })
    const client = [process.execPath, join(COMMANDS, 'chatroom-client.js'), ...args].map(quoted).join(' ')
    const shell = `stty cols ${columns} rows ${rows}; tty > ${quoted(this.#ttyFile)}; exec ${client}`
    this.#child = spawn('script', ['--quiet', '--flush', '--return', '--command', shell, '/dev/null'], {
      env: { ...process.env, XDG_STATE_HOME: state || this.#directory, TERM: 'xterm', SHELL: '/bin/sh' },
    })
    this.#child.stdin.on('error', () => undefined) // it has ended
    this.#child.stdout.on('data', (data: Buffer) => {
      this.raw += data.toString()
      this.#terminal.write(data)
    })
    owner.teardown(async () => {
      const gone = this.#child.exitCode === null ? once(this.#child, 'exit') : undefined
      this.#child.kill('SIGKILL')
      await gone
      rmSync(this.#directory, { recursive: true, force: true })
    })
  }

  get #ttyFile(): string {
    return join(this.#directory, 'tty')
  }

  /** Types keys. `\r` is Enter, `\u0003` Ctrl-C, `\u0004` Ctrl-D. */
  type(keys: string): void {
    this.#child.stdin.write(keys)
  }

  /** All that can be read, what was scrolled out of sight included; a line that was broken is one. */
  get lines(): string[] {
    const { active } = this.#terminal.buffer
    const lines: string[] = []
    for (let at = 0; at < active.length; at += 1) {
      const line = active.getLine(at)
      if (line?.isWrapped === true) lines.push(`${lines.pop() ?? ''}${line.translateToString(false)}`)
      else lines.push(line?.translateToString(false) ?? '')
    }
    while (lines.length > 0 && lines.at(-1)?.trim() === '') lines.pop()
    return lines.map((line) => line.trimEnd())
  }

  /** Where the cursor is. */
  get cursor(): { readonly column: number; readonly row: number } {
    const { active } = this.#terminal.buffer
    return { column: active.cursorX, row: active.baseY + active.cursorY }
  }

  /** The character at which the cursor stands. */
  get atCursor(): string {
    const { column, row } = this.cursor
    return this.#terminal.buffer.active.getLine(row)?.getCell(column)?.getChars() ?? ''
  }

  /** Waits until these lines are there, in this order, with others between; a pattern or the whole line each. */
  async sees(...wanted: (string | RegExp)[]): Promise<void> {
    const isThere = (): boolean => {
      let at = 0
      for (const line of this.lines) {
        const next = wanted[at]
        if (typeof next === 'string' ? line === next : next?.test(line) === true) at += 1
      }
      return at === wanted.length
    }
    const describe = (): string => `\n${this.lines.join('\n')}`
    await until(`the terminal shows ${wanted.map(String).join(', ')}`, isThere, { patience: PATIENCE, describe })
  }

  /** Waits until the last line is this one. */
  async endsWith(last: string): Promise<void> {
    const describe = (): string => `\n${this.lines.join('\n')}`
    await until(`the last line is ${last}`, () => this.lines.at(-1) === last, { patience: PATIENCE, describe })
  }

  /** The user pulls at the corner of the window. */
  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows)
    if (!existsSync(this.#ttyFile)) throw new Error('the terminal has no name yet')
    const name = readFileSync(this.#ttyFile, 'utf8').trim()
    execFileSync('stty', ['-F', name, 'cols', `${columns}`, 'rows', `${rows}`])
  }

  /** The exit code, when it has ended. */
  async ended(): Promise<number | null> {
    await until('it ends', () => this.#child.exitCode !== null, {
      patience: PATIENCE,
      describe: () => this.lines.join('\n'),
    })
    return this.#child.exitCode
  }
}
