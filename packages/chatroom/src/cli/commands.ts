/** What the commands do. */
import { address, orCancelled, UsageError } from '@synod/terminal'
import { InvalidArgumentError } from 'commander'
import type { ChatClient } from '../client.js'
import { chatOpSchema, type ChatMessage, type ChatOp } from '../command.js'
import type { Chat } from '../live/chat.js'
import type { Room } from '../live/room.js'
import { COMMANDS, numberAnd, type CommandName, type Input } from './input.js'
import { counted, oneLine } from './lines.js'
import type { Talk } from './talk.js'
import { SHOWN } from './view.js'

/** Does what was typed. Throws a SynodError for what cannot be done. */
export async function perform(talk: Talk, input: Input, signal: AbortSignal): Promise<void> {
  if (input.type === 'message') talk.post(input.text)
  else if (input.type === 'log') await orCancelled({ signal }, showLog(talk, signal))
  else if (input.type === 'command') await orCancelled({ signal }, HANDLERS[input.name](talk, input.rest))
  else if (input.type === 'unknown') {
    const name = oneLine(input.name)
    throw new UsageError(
      `/${name} is not a command; /help shows them, and a message that begins with / is typed with //`,
    )
  }
}

const HANDLERS: Readonly<Record<CommandName, (talk: Talk, rest: string) => Promise<void>>> = {
  help: async (talk) => {
    talk.show('What you type is sent, but for:')
    for (const [name, usage, what] of COMMANDS) talk.show(`${`/${name} ${usage}`.padEnd(18)} ${what}`)
    talk.show(`${'get'.padEnd(18)} show all messages of the room`)
    talk.show(`${'put MESSAGE'.padEnd(18)} send this message, whatever it is`)
    talk.show(`${'//…'.padEnd(18)} send a message that begins with one slash`)
  },
  rooms: async (talk) => {
    const { rooms } = connected(talk).chat
    if (rooms.length === 0) talk.show('There is no room yet.')
    for (const { room, last, here } of rooms) {
      const people = here === 0 ? 'nobody' : String(here)
      talk.show(`${oneLine(room)}: ${counted(last, 'message')}, ${people} here`)
    }
  },
  join: async (talk, rest) => {
    if (rest === '') throw new UsageError('/join needs the name of a room')
    checkOp({ type: 'join', room: rest, name: talk.options.me.name })
    if (rest === talk.roomName) throw new UsageError(`you are in ${oneLine(rest)} already`)
    await talk.go(rest)
  },
  leave: async (talk) => {
    const name = talk.roomName
    if (name === null) throw new UsageError('you are in no room')
    await talk.go(null)
    talk.view.say(`you have left ${oneLine(name)}`)
  },
  who: async (talk) => {
    const room = openRoom(talk)
    for (const { id, name } of room.here) talk.show(`${oneLine(name)}${id === room.myId ? ' (you)' : ''}`)
  },
  edit: async (talk, rest) => {
    const { number, text } = numberAnd(rest)
    if (text === '') throw new UsageError('/edit needs the new text')
    const room = openRoom(talk)
    const op = { room: room.name, number: number ?? lastOwn(talk, room), key: talk.options.me.key, text }
    checkOp({ type: 'edit', ...op })
    await room.edit(op.number, text)
    if (!talk.view.tellsOf(op.number)) talk.show(`You have changed message #${op.number}.`)
  },
  delete: async (talk, rest) => {
    const { number, text } = numberAnd(rest)
    if (text !== '') throw new UsageError('/delete takes the number of a message, or nothing')
    const room = openRoom(talk)
    const which = number ?? lastOwn(talk, room)
    await room.delete(which)
    if (!talk.view.tellsOf(which)) talk.show(`You have deleted message #${which}.`)
  },
  history: async (talk, rest) => {
    const { number, text } = numberAnd(rest)
    if (text !== '' || number === 0) throw new UsageError('/history takes how many messages to show, or nothing')
    await talk.view.older(openRoom(talk), number ?? SHOWN)
  },
  connect: async (talk, rest) => {
    await talk.connect(rest === '' ? talk.options.target : { servers: [serverOf(rest)], discover: false })
  },
  disconnect: async (talk) => {
    connected(talk)
    await talk.disconnect()
    talk.view.say('not connected any more: /connect connects again')
  },
  quit: () => Promise.resolve(), // whoever reads the lines ends with it
}

/** `get`: all messages that the room keeps. */
async function showLog(talk: Talk, signal: AbortSignal): Promise<void> {
  const { client } = connected(talk)
  const { roomName } = talk
  if (roomName === null) throw new UsageError('you are in no room: /join ROOM goes to one')
  await talk.view.log(pagesOf(client, roomName, signal))
}

async function* pagesOf(client: ChatClient, room: string, signal: AbortSignal): AsyncGenerator<readonly ChatMessage[]> {
  for (let after = 0; !signal.aborted;) {
    const { messages, last } = await client.read(room, { after })
    yield messages
    after = messages.at(-1)?.number ?? last
    if (after >= last) return
  }
}

function connected({ connection: { chat, client } }: Talk): { readonly chat: Chat; readonly client: ChatClient } {
  if (chat !== null && client !== null) return { chat, client }
  throw new UsageError('you are not connected: /connect connects again')
}

/** The room that one is in, if it was read already. */
function openRoom(talk: Talk): Room {
  connected(talk)
  if (talk.roomName === null) throw new UsageError('you are in no room: /join ROOM goes to one')
  if (talk.room?.isOpen === true) return talk.room
  throw new UsageError(`${oneLine(talk.roomName)} is not there yet: no server has answered`)
}

/** The number of one's own last message. */
function lastOwn({ options: { me } }: Talk, { messages }: Room): number {
  const own = messages.findLast(({ author, deleted }) => author === me.name && !deleted)
  if (own !== undefined) return own.number
  throw new UsageError('there is no message of yours here: name it by its number')
}

/** `10000`, `:10000` or `host:10000`. */
function serverOf(text: string): string {
  try {
    return address(/^:?\d+$/.test(text) ? `127.0.0.1:${text.replace(':', '')}` : text)
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error
    throw new UsageError(`/connect takes a port such as 10000, or a host:port, not "${oneLine(text)}"`)
  }
}

/** Throws {@link UsageError} with what is wrong with an operation. */
export function checkOp(op: ChatOp): void {
  const { error } = chatOpSchema.safeParse(op)
  if (error !== undefined) throw new UsageError(error.issues[0]?.message ?? 'that cannot be done')
}
