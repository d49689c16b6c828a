/** The commands, as commander knows them: the same on the command line and in the prompt. */
import { address, addTransfer, addVerify, positive, transfer, verify } from '@synod/terminal'
import { Option, type Command } from 'commander'
import { cas, count, del, get, list, set, type CasOptions, type GetOptions, type ListOptions } from './commands.js'
import { dump } from './dump.js'
import { snapshot } from './snapshot.js'
import { load, type LoadOptions } from './load.js'
import { status } from './status.js'
import type { Action, Session } from './session.js'
import { watch, type WatchOptions } from './watch.js'

const WATCH_NOTES = `
A line is set<TAB>key<TAB>value or delete<TAB>key; with --json it has the slot, too, so
that a later watch can go on with --from (that slot + 1). The servers keep the latest
changes only: where those that are wanted are gone, it says so and ends with 1.`

/** Adds all commands. Each hands its work to `run`, which has the connection. */
export function addCommands(program: Command, run: (action: Action) => Promise<void>): void {
  program
    .command('get <key>')
    .description("print a key's value")
    .option('--stale', 'as the server has it that answers, be it old; and tell the slot that it has come to')
    .action((key: string, options: GetOptions) => run((session) => get(session, key, options)))
  program
    .command('set <key> <value>')
    .description("make a key's value this one")
    .action((key: string, value: string) => run((session) => set(session, key, value)))
  program
    .command('del <key>')
    .description('delete a key')
    .action((key: string) => run((session) => del(session, key)))
  program
    .command('cas <key> [values...]')
    .usage('[options] <key> <old> <new>')
    .description('make the value <new> if it is <old>')
    .option('--absent', 'instead of <old>: the key must be absent')
    .option('--delete', 'instead of <new>: delete the key')
    .action((key: string, values: string[], options: CasOptions) =>
      run((session) => cas(session, key, values, options)),
    )
  program
    .command('list [prefix]')
    .description('print the pairs whose keys begin with the prefix, in order')
    .option('--limit <n>', 'print at most so many', positive)
    .option('--after <key>', 'begin behind this key')
    .option('--keys', 'print only the keys')
    .action((prefix: string | undefined, options: ListOptions) =>
      run((session) => list(session, prefix ?? '', options)),
    )
  program
    .command('count [prefix]')
    .description('count the keys that begin with the prefix')
    .action((prefix: string | undefined) => run((session) => count(session, prefix ?? '')))
  addWatch(program, run)
  addLoad(program, run)
  program
    .command('dump')
    .description('print the whole state as one server has it, as JSON Lines of {key, value}')
    .option('--server <host:port>', 'the server (default: the first)', address)
    .action((options: { server?: string }) =>
      run((session) => dump(session, options.server ?? session.servers[0] ?? '')),
    )
  program
    .command('status')
    .description('show how the servers stand')
    .action(() => run(status))
  addCare(program, run)
}

function addCare(program: Command, run: (action: Action) => Promise<void>): void {
  addVerify(program, () => run(compare))
  program
    .command('snapshot')
    .description('have a server write a snapshot now; print its slot and its file')
    .option('--server <host:port>', 'the server (default: the first that answers)', address)
    .action((options: { server?: string }) => run((session) => snapshot(session, options.server)))
  addTransfer(program, (to) => run((session) => transfer(session.store.connection, to, session)))
}

function compare({ store, givenTimeout: timeout, json, signal }: Session): Promise<number> {
  return verify(store.connection, { timeout, json, signal, entries: 'pairs' })
}

function addWatch(program: Command, run: (action: Action) => Promise<void>): void {
  program
    .command('watch [prefix]')
    .description('print the changes of keys that begin with the prefix, as they are decided, until Ctrl-C')
    .option('--from <slot>', 'begin with the changes of this slot (default: those from now on)', positive)
    .addOption(new Option('--state', 'begin with the pairs as they are, then every change since').conflicts('from'))
    .addHelpText('after', WATCH_NOTES)
    .action((prefix: string | undefined, options: WatchOptions) =>
      run((session) => watch(session, prefix ?? '', options)),
    )
}

function addLoad(program: Command, run: (action: Action) => Promise<void>): void {
  program
    .command('load <file>')
    .description('set every pair of a file of JSON Lines {"key","value"} or TSV; - is standard input')
    .addOption(
      new Option('--format <format>', 'what the file has (default: by its name or first line)').choices([
        'jsonl',
        'tsv',
      ]),
    )
    .addOption(
      new Option('--on-error <what>', 'what to do after a bad line').choices(['continue', 'stop']).default('stop'),
    )
    .option('--in-flight <n>', 'how many pairs may be on their way at once', positive, 256)
    .action((file: string, options: LoadOptions) => run((session) => load(session, file, options)))
}
