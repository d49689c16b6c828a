/** What prompts on a terminal have in common, over node:readline. */
import type { Interface } from 'node:readline'

/** The lines as they come, also those that are pasted while one is being worked on; ends with the editor. */
export async function* linesOf(editor: Interface): AsyncGenerator<string> {
  const waiting: (string | null)[] = []
  let wake = (): void => undefined
  editor.on('line', (line) => {
    waiting.push(line)
    wake()
  })
  editor.on('close', () => {
    waiting.push(null)
    wake()
  })
  for (;;) {
    const line = waiting.shift()
    if (line === null) return
    if (line !== undefined) yield line
    else {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
}

/** Ctrl-C: leaves the line that was being typed behind, and begins a new one. */
export function dropLine(editor: Interface): void {
  const hint = editor.line === '' ? 'Ctrl-D ends.\n' : ''
  // Ctrl-E goes to the end, Ctrl-U deletes up to there.
  editor.write(null, { ctrl: true, name: 'e' })
  editor.write(null, { ctrl: true, name: 'u' })
  process.stdout.write(`\n${hint}`)
  editor.prompt()
}
