/** What a typed line means. */

/** What one can do besides writing messages: name, arguments, and what it does. */
export const COMMANDS = [
  ['help', '', 'show this'],
  ['rooms', '', 'show all rooms'],
  ['join', 'ROOM', 'go to another room, old or new'],
  ['leave', '', 'leave the room'],
  ['who', '', 'show who is here'],
  ['edit', '[N] TEXT', 'change your last message, or number N'],
  ['delete', '[N]', 'take back your last message, or number N'],
  ['history', '[N]', 'show N older messages (20)'],
  ['connect', '[PORT]', 'talk to this port or host:port alone, or to all'],
  ['disconnect', '', 'let go of the servers until /connect'],
  ['quit', '', 'end'],
] as const

export type CommandName = (typeof COMMANDS)[number][0]

export type Input =
  | { readonly type: 'nothing' }
  | { readonly type: 'message'; readonly text: string }
  | { readonly type: 'log' }
  /** `rest`: what stands behind the command, without spaces around it. */
  | { readonly type: 'command'; readonly name: CommandName; readonly rest: string }
  | { readonly type: 'unknown'; readonly name: string }

const NAMES = COMMANDS.map(([name]) => name)

/** Reads a line: a command if it begins with a slash, or is `get` or `put …`; otherwise a message. */
export function read(line: string): Input {
  if (line.trim() === '') return { type: 'nothing' }
  if (line.trim() === 'get') return { type: 'log' }
  const put = /^\s*put\s+(\S.*)$/s.exec(line)?.[1]
  if (put !== undefined) return { type: 'message', text: put }
  if (!line.startsWith('/')) return { type: 'message', text: line }
  if (line.startsWith('//')) return { type: 'message', text: line.slice(1) }
  const [, word = '', rest = ''] = /^\/(\S*)\s*(.*)$/s.exec(line) ?? []
  const name = NAMES.find((each) => each === word)
  return name === undefined ? { type: 'unknown', name: word } : { type: 'command', name, rest: rest.trim() }
}

/** A number and what stands behind it, where both may be missing. */
export function numberAnd(rest: string): { readonly number: number | null; readonly text: string } {
  const [, digits, text = ''] = /^(?:#?(\d{1,15})(?:\s+|$))?(.*)$/s.exec(rest) ?? []
  return { number: digits === undefined ? null : Number(digits), text }
}

/** What the Tab key offers for the last word of the line: commands, rooms, people. */
export function complete(line: string, rooms: readonly string[], people: readonly string[]): [string[], string] {
  if (/^\/\w*$/.test(line)) {
    return [NAMES.map((name) => `/${name} `).filter((offer) => offer.startsWith(line)), line]
  }
  const room = /^\/join\s+(.*)$/.exec(line)?.[1]
  if (room !== undefined) return [rooms.filter((offer) => offer.startsWith(room)), room]
  const word = /\S*$/.exec(line)?.[0] ?? ''
  return [word === '' ? [] : people.filter((offer) => offer.startsWith(word)), word]
}
