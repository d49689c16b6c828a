/** The client's command line. */
import { connect, type Client } from '@synod/paxos'
import {
  addConnectionOptions,
  addTransfer,
  addVerify,
  describeError,
  EXIT_DONE,
  exitCodeFrom,
  givenTimeout,
  neededServers,
  note,
  programOf,
  transfer,
  UsageError,
  verify,
  versionIn,
  type Complain,
  type ConnectionOptions,
} from '@synod/terminal'
import type { Command } from 'commander'
import { LOBBY, type ChatEvent, type ChatOp, type ChatResult } from '../command.js'
import { chatroom } from '../service.js'
import { checkOp } from './commands.js'
import { authorKey } from './key.js'
import { pipe } from './pipe.js'
import { Talk } from './talk.js'

interface Options extends ConnectionOptions {
  readonly name?: string
  readonly room: string
  readonly json?: boolean
}

const NOTES = `
On a terminal one reads and writes; /help shows the commands. With standard input that is not
a terminal each line of it is posted as a message; it ends when all of them are in the room.

Examples:
  $ chatroom-client --servers 127.0.0.1:20000,127.0.0.1:20001,127.0.0.1:20002 --name ada
  $ uptime | chatroom-client --servers 127.0.0.1:20000 --name watch --room machines
  $ chatroom-client --servers 127.0.0.1:20000 verify

Exit codes: 0 done; 1 no (a message was refused, servers that differ); 2 usage; 3 cluster unavailable.`

/** Does what the arguments say; answers with the exit code. */
export function main(argv: readonly string[]): Promise<number> {
  const json = argv.includes('--json')
  const complain: Complain = (error) => {
    note(json ? describeError(error, true) : `chatroom-client: ${describeError(error, false)}`)
  }
  const program = clientProgram(complain)
  let code = EXIT_DONE
  program.action(async () => {
    code = await start(program.opts<Options>())
  })
  addVerify(program, async () => {
    const timeout = givenTimeout(program)
    code = await withClient(program.opts<Options>(), (client, json) => verify(client, { json, timeout }))
  })
  addTransfer(program, async (to) => {
    code = await withClient(program.opts<Options>(), (client, json) => transfer(client, to, { json }))
  })
  return exitCodeFrom(async () => {
    await program.parseAsync(argv)
    return code
  }, complain)
}

function clientProgram(complain: Complain): Command {
  return addConnectionOptions(
    programOf('chatroom-client', complain)
      .description('Talks with others in the rooms of a cluster of chatroom servers.')
      .version(versionIn(new URL('../../package.json', import.meta.url))),
  )
    .option('--name <name>', 'who you are to the others (needed)')
    .option('--room <room>', 'the room to begin with', LOBBY)
    .option('--json', 'answer in JSON; with messages from standard input: what became of each')
    .addHelpText('after', NOTES)
}

async function start(options: Options): Promise<number> {
  const servers = neededServers(options)
  const { name, room, timeout, json = false } = options
  if (name === undefined) throw new UsageError('--name is needed: who you are to the others')
  checkOp({ type: 'join', room, name })
  const { key, notKept } = authorKey(name)
  const me = { name, key }
  if (!process.stdin.isTTY) return pipe({ servers, timeout, me, room, json })
  if (json) throw new UsageError('--json is for messages from standard input, and that is a terminal')
  if (notKept !== null) note(`You can edit your messages until you end only: ${notKept}.`)
  return new Talk({ me, room, timeout, target: { servers, discover: true } }).run()
}

/** For what is asked of the cluster, whatever is in its rooms. */
async function withClient(
  options: Options,
  ask: (client: Client<ChatOp, ChatResult, ChatEvent>, json: boolean) => Promise<number>,
): Promise<number> {
  const { json = false, timeout } = options
  const client = connect(chatroom, { servers: neededServers(options), timeout })
  try {
    return await ask(client, json)
  } finally {
    await client.close()
  }
}
