/** Runs the lines that a prompt or a script gives, over one connection. */
import { describeError, EXIT_DONE, exitCodeFrom, note, programOf, type Complain } from '@synod/terminal'
import type { Command } from 'commander'
import { addCommands } from './program.js'
import type { Action, Session } from './session.js'
import { splitWords } from './words.js'

const NOTES = `
Words have spaces between. "Double quotes" keep spaces and know JSON's escapes,
'single quotes' keep everything. Behind -- nothing is an option.
exit, or Ctrl-D, ends.`

export class Interpreter {
  constructor(readonly session: Omit<Session, 'signal'>) {}

  /** Runs one line and answers with its exit code; "end" if the line wants no other after it. Says what went wrong. */
  async run(line: string, signal: AbortSignal, where = ''): Promise<number | 'end'> {
    const complain: Complain = (error) => {
      note(this.session.json ? describeError(error, true) : where + describeError(error, false))
    }
    return exitCodeFrom<number | 'end'>(async () => {
      const words = splitWords(line)
      const [name] = words
      if (name === undefined || name.startsWith('#')) return EXIT_DONE
      if (name === 'exit' || name === 'quit') return 'end'
      let code = EXIT_DONE
      const program = promptProgram(complain, async (action) => {
        code = await action({ ...this.session, signal })
      })
      await program.parseAsync(words, { from: 'user' })
      return code
    }, complain)
  }
}

/** The commands without the name of a program before them. */
export function promptProgram(complain: Complain, run: (action: Action) => Promise<void>): Command {
  const program = programOf('', complain)
    .configureHelp({
      commandUsage: (command) => (command.parent === null ? 'COMMAND …' : `${command.name()} ${command.usage()}`),
      visibleOptions: (command) => [...command.options],
    })
    .helpCommand('help [command]', 'show the commands, or one')
    .addHelpText('after', NOTES)
  addCommands(program, run)
  return program
}
