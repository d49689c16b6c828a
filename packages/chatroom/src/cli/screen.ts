/**
 * A line that is being typed, with what happens meanwhile written above it. On what is no terminal it only writes and
 * reads lines.
 */
import { clearScreenDown, createInterface, cursorTo, moveCursor, type Interface } from 'node:readline'
import { dropLine, linesOf } from '@synod/terminal'

/** Of node:readline: how many rows of what is on the screen are above the cursor. It is not in its types. */
interface Editor extends Interface {
  prevRows: number
  line: string
  cursor: number
}

export interface ScreenOptions {
  readonly history: string[]
  readonly complete: (line: string) => [string[], string]
  /** Whether a line that was typed is to vanish: it comes back as something else. */
  readonly vanishes: (line: string) => boolean
  /** Ctrl-C. Answers whether there was something to stop; otherwise the line is dropped. */
  readonly interrupt: () => boolean
}

export class Screen {
  readonly #editor: Editor
  readonly #output = process.stdout
  #isClosed = false

  constructor({ history, complete, vanishes, interrupt }: ScreenOptions) {
    this.#editor = createInterface({
      input: process.stdin,
      output: this.#output,
      prompt: '> ',
      history,
      historySize: 1000,
      removeHistoryDuplicates: true,
      completer: complete,
    }) as Editor
    insertAtCursor(this.#editor)
    this.#editor.on('line', (line) => {
      if (vanishes(line)) this.#takeBack(line)
      this.#editor.prompt()
    })
    this.#editor.on('SIGINT', () => {
      if (!interrupt()) dropLine(this.#editor)
    })
    this.#editor.on('close', () => {
      this.#isClosed = true
      interrupt()
    })
    // Before readline's own listener, which begins as many rows above the cursor as there were.
    this.#output.prependListener('resize', this.#resized)
  }

  get columns(): number {
    return this.#output.columns || 80
  }

  /** Lines as they are typed, until Ctrl-D. */
  lines(): AsyncGenerator<string> {
    return linesOf(this.#editor)
  }

  /** Writes lines above the one that is being typed. */
  show(text: string): void {
    this.#aside(() => {
      this.#output.write(`${text}\n`)
    })
  }

  set prompt(prompt: string) {
    if (prompt === this.#editor.getPrompt()) return
    this.#aside(() => {
      this.#editor.setPrompt(prompt)
    })
  }

  /** Lets go of the terminal; the line that was being typed is gone. */
  close(): void {
    this.#output.off('resize', this.#resized)
    if (this.#isClosed) return void this.#output.write('\n') // Ctrl-D leaves the cursor behind the prompt
    this.#clear()
    this.#editor.close()
  }

  /**
   * Some terminals have broken the line that is being typed anew, some have not: of the rows that it may take now, the fewer
   * are certain. So a piece of it may stay above; but no message is ever wiped off.
   */
  readonly #resized = (): void => {
    this.#editor.prevRows = Math.min(this.#editor.prevRows, this.#editor.getCursorPos().rows)
  }

  /** Takes the line off the screen, does the work, and puts it back with the cursor where it was. */
  #aside(work: () => void): void {
    if (this.#isClosed || !this.#editor.terminal) return work()
    this.#output.cork() // all at once, so that nothing flickers
    this.#clear()
    work()
    this.#editor.prompt(true)
    this.#output.uncork()
  }

  #clear(): void {
    if (!this.#editor.terminal) return
    this.#up(this.#editor.getCursorPos().rows)
    this.#editor.prevRows = 0
  }

  /** Takes a line that was ended by Enter off the screen; the cursor is in the row below it. */
  #takeBack(line: string): void {
    if (!this.#editor.terminal) return
    const { line: typing, cursor } = this.#editor
    this.#editor.line = line
    this.#editor.cursor = line.length
    const { rows } = this.#editor.getCursorPos()
    this.#editor.line = typing
    this.#editor.cursor = cursor
    this.#up(rows + 1)
  }

  #up(rows: number): void {
    moveCursor(this.#output, 0, -rows)
    cursorTo(this.#output, 0)
    clearScreenDown(this.#output)
  }
}

/**
 * Of several characters that come at once, as from a paste, readline puts all but the last behind the line, wherever the
 * cursor is: for these it takes completion to be off, and looks no further. Within a line it is to be on.
 */
function insertAtCursor(editor: Editor): void {
  let isEnabled = true
  Object.defineProperty(editor, 'isCompletionEnabled', {
    get: () => isEnabled || editor.cursor < editor.line.length,
    set: (value: boolean) => {
      isEnabled = value
    },
  })
}
