/** Rooms of messages: each a list that only grows. */
import type { Model, Operation, Part } from '../model.js'
import { ChatMachine } from './chat-machine.js'
import { isSame, show, textOf } from './values.js'

/** The messages of a room, from the last to the first. */
interface Chain {
  readonly length: number
  readonly message: unknown
  readonly before: Chain | null
}

const EMPTY: Chain = { length: 0, message: null, before: null }

/** A chatroom: `append` and `read`, whose result is all messages in order, of the room `key` (null: the only one). */
export const chatModel: Model<Chain> = {
  name: 'chat',
  initial: EMPTY,
  step,
  id: (chain) => textOf(messagesOf(chain)),
  partition,
  show: (chain) => show(messagesOf(chain)),
  misfit: ({ f, outcome, result }) => {
    if (f !== 'append' && f !== 'read') return `a chatroom has no ${f}`
    return f === 'read' && outcome === 'ok' && !Array.isArray(result) ? 'value: of a read must be all messages' : null
  },
  machine: (operations, exact) => new ChatMachine(operations, exact),
}

function step(chain: Chain, { f, argument, outcome, result }: Operation): Chain | null {
  if (f === 'append') return { length: chain.length + 1, message: argument, before: chain }
  if (f !== 'read') return null
  if (outcome === 'info') return chain
  const found = result as readonly unknown[]
  if (found.length !== chain.length) return null
  let at: Chain | null = chain
  for (let place = found.length - 1; place >= 0; place--) {
    if (!isSame(found[place], at?.message)) return null
    at = at?.before ?? null
  }
  return chain
}

function messagesOf(chain: Chain): unknown[] {
  const messages: unknown[] = []
  for (let at = chain; at.before !== null; at = at.before) messages.push(at.message)
  return messages.reverse()
}

function partition(operations: readonly Operation[]): readonly Part[] {
  const rooms = new Map<string | null, Operation[]>()
  for (const operation of operations) {
    const room = rooms.get(operation.key)
    if (room === undefined) rooms.set(operation.key, [operation])
    else room.push(operation)
  }
  return [...rooms].map(([key, its]) => ({ key, operations: its }))
}
