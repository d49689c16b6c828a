/** Rooms of messages: each a list that grows, whose messages may be edited and erased. */
import { refusalOf } from '../../history/operations.js'
import type { Model, Operation, Part } from '../model.js'
import { ChatMachine } from './chat-machine.js'
import { changeOf, numberOf } from './chat-operations.js'
import { EditMachine } from './edit-machine.js'
import { isSame, show, textOf } from './values.js'

/** The messages of a room, from the last to the first. An erased one is null. */
interface Chain {
  readonly length: number
  readonly message: unknown
  readonly before: Chain | null
}

const EMPTY: Chain = { length: 0, message: null, before: null }
/** These say nothing of messages: a session, and with it who is there, may end at any time. */
const PRESENCE: ReadonlySet<string> = new Set(['join', 'leave', 'who'])
const KINDS: ReadonlySet<string> = new Set(['append', 'read', 'edit', 'erase', ...PRESENCE])

/**
 * A chatroom: `append`, `edit`, `erase`, and `read`, whose result is all messages in order, of the room `key` (null: the only
 * one). An edit or erase that nobody answered may have changed nothing for reasons of its own.
 */
export const chatModel: Model<Chain> = {
  name: 'chat',
  initial: EMPTY,
  step,
  id: (chain) => textOf(messagesOf(chain)),
  partition,
  show: (chain, { f, result }) => (f === 'read' ? instead(messagesOf(chain), result) : show(messagesOf(chain))),
  misfit,
  machine: (operations, exact) => {
    const changes = operations.some(({ f }) => f === 'edit' || f === 'erase')
    return changes ? new EditMachine(operations, exact) : new ChatMachine(operations, exact)
  },
}

function misfit({ f, argument, outcome, result }: Operation): string | null {
  if (!KINDS.has(f)) return `a chatroom has no ${f}`
  if (f === 'append' && argument === null) return 'value: of an append must be a message, not null'
  if (f === 'edit' && changeOf({ f, argument })[1] === null) return 'value: an edit to null is an erase'
  return f === 'read' && outcome === 'ok' && !Array.isArray(result) ? 'value: of a read must be all messages' : null
}

function step(chain: Chain, operation: Operation): Chain | null {
  const { f, argument, outcome, result } = operation
  switch (f) {
    case 'append': {
      const number = numberOf(operation)
      if (number > 0 && number !== chain.length + 1) return null
      return { length: chain.length + 1, message: argument, before: chain }
    }
    case 'edit':
    case 'erase':
      return changed(chain, operation)
    case 'read':
      return outcome === 'info' || isFound(chain, result as readonly unknown[]) ? chain : null
    default:
      return null
  }
}

function isFound(chain: Chain, found: readonly unknown[]): boolean {
  if (found.length !== chain.length) return false
  let at: Chain | null = chain
  for (let place = found.length - 1; place >= 0; place--) {
    if (!isSame(found[place], at?.message)) return false
    at = at?.before ?? null
  }
  return true
}

function changed(chain: Chain, operation: Operation): Chain | null {
  const [number, message] = changeOf(operation)
  const { outcome } = operation
  let at = chain
  while (at.before !== null && at.length > number) at = at.before
  const refusal = at.length !== number ? 'NO_MESSAGE' : at.message === null ? 'DELETED' : null
  if (refusal !== null) return outcome === 'info' || refusalOf(operation.completed) === refusal ? chain : null
  return outcome === 'fail' ? null : replaced(chain, number, message)
}

function replaced(chain: Chain, number: number, message: unknown): Chain {
  const { length, before } = chain
  if (length === number || before === null) return { length, message, before }
  return { length, message: chain.message, before: replaced(before, number, message) }
}

function messagesOf(chain: Chain): unknown[] {
  const messages: unknown[] = []
  for (let at = chain; at.before !== null; at = at.before) messages.push(at.message)
  return messages.reverse()
}

/** Differences that a sentence tells one by one, at most. */
const MAX_DIFFERENCES = 3
/** Logs that are shown as they are (messages). */
const SHORT = 4

/** What is there in place of what was found: of long logs only where they differ. */
function instead(messages: readonly unknown[], found: unknown): string {
  if (!Array.isArray(found) || found.length !== messages.length || found.length <= SHORT) return show(messages)
  const places = messages.flatMap((message, place) => (isSame(message, found[place]) ? [] : [place]))
  if (places.length > MAX_DIFFERENCES) return show(messages)
  return places
    .map((place) => `${show(messages[place])} and not ${show(found[place])} as message ${place + 1}`)
    .join(' along with ')
}

function partition(operations: readonly Operation[]): readonly Part[] {
  const rooms = new Map<string | null, Operation[]>()
  for (const operation of operations) {
    if (PRESENCE.has(operation.f)) continue
    const room = rooms.get(operation.key)
    if (room === undefined) rooms.set(operation.key, [operation])
    else room.push(operation)
  }
  return [...rooms].map(([key, its]) => ({ key, operations: its }))
}
