/** The interactive prompt, on a terminal. */
import { createInterface, type Interface } from 'node:readline'
import { SynodError } from '@synod/paxos'
import { dropLine, EXIT_DONE, History, linesOf, note } from '@synod/terminal'
import { complete } from './completion.js'
import { promptProgram, type Interpreter } from './interpreter.js'

/** Completion that takes longer would only be in the way; ms. */
const COMPLETION_PATIENCE = 1000

/** Runs what the user types until Ctrl-D; Ctrl-C drops the line, or stops waiting for the command that runs. */
export async function prompt(interpreter: Interpreter): Promise<number> {
  const { servers } = interpreter.session
  note(`kvstore of ${servers.length} servers. "help" shows the commands, Ctrl-D ends.`)
  const history = new History('kvstore-history')
  const editor = openEditor(interpreter, history.lines)
  const now: { running: AbortController | undefined; closed: boolean } = { running: undefined, closed: false }
  editor.on('SIGINT', () => {
    if (now.running === undefined) dropLine(editor)
    else now.running.abort()
  })
  editor.on('close', () => {
    now.closed = true
    now.running?.abort()
  })
  const lines = linesOf(editor)
  editor.prompt()
  for await (const line of lines) {
    if (line.trim() !== '') history.add(line)
    now.running = new AbortController()
    const code = await interpreter.run(line, now.running.signal)
    now.running = undefined
    if (code === 'end' || now.closed) break
    // The cursor stays behind what was typed meanwhile.
    editor.prompt(true)
  }
  // Ctrl-D leaves the cursor behind the prompt.
  if (now.closed) process.stdout.write('\n')
  else editor.close()
  return EXIT_DONE
}

function openEditor(interpreter: Interpreter, history: string[]): Interface {
  const nowhere = promptProgram(
    () => undefined,
    () => Promise.resolve(),
  )
  return createInterface({
    input: process.stdin,
    output: process.stdout,
    prompt: 'kvstore> ',
    history,
    historySize: 1000,
    removeHistoryDuplicates: true,
    completer: (line: string, answer: (error: null, result: [string[], string]) => void) => {
      const late = new Promise<[string[], string]>((resolve) => {
        setTimeout(resolve, COMPLETION_PATIENCE, [[], line]).unref()
      })
      const found = complete(nowhere, interpreter.session.store, line).catch((error: unknown): [string[], string] => {
        // No cluster, no offers; the command itself will tell.
        if (error instanceof SynodError) return [[], line]
        throw error
      })
      void Promise.race([found, late]).then((result) => {
        answer(null, result)
      })
    },
  })
}
