/** Runs the lines that a prompt or a script gives, over one connection. */
import { SynodError } from '@synod/paxos'
import { Command, CommanderError } from 'commander'
import { describeError, EXIT_DONE, EXIT_USAGE, exitCodeOf } from './exit.js'
import { note } from './output.js'
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
    const complain = (error: SynodError): void => {
      note(this.session.json ? describeError(error, true) : where + describeError(error, false))
    }
    let code = EXIT_DONE
    try {
      const words = splitWords(line)
      const [name] = words
      if (name === undefined || name.startsWith('#')) return EXIT_DONE
      if (name === 'exit' || name === 'quit') return 'end'
      const program = promptProgram(complain, async (action) => {
        code = await action({ ...this.session, signal })
      })
      await program.parseAsync(words, { from: 'user' })
      return code
    } catch (error) {
      // Commander has said it already, through `complain`.
      if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_DONE : EXIT_USAGE
      const failed = exitCodeOf(error)
      if (failed === undefined || !(error instanceof SynodError)) throw error
      complain(error)
      return failed
    }
  }
}

/** The commands without the name of a program before them. */
export function promptProgram(complain: (error: SynodError) => void, run: (action: Action) => Promise<void>): Command {
  const program = new Command('')
    .exitOverride()
    .configureOutput({
      outputError: (message) => {
        complain(new SynodError('USAGE', message.trim().replace(/^error: /, '')))
      },
    })
    .configureHelp({
      commandUsage: (command) => (command.parent === null ? 'COMMAND …' : `${command.name()} ${command.usage()}`),
      visibleOptions: (command) => [...command.options],
    })
    .helpCommand('help [command]', 'show the commands, or one')
    .addHelpText('after', NOTES)
  addCommands(program, run)
  return program
}
