/** Which events the chatroom's operations have emitted, by what their clients were told. */
import type { ChatEvent, ChatResults } from '@synod/chatroom'
import type { Operation } from '../checker/model.js'
import type { Announcement } from './subject.js'

/** An operation has a slot of its own, and this slot has its event, and no other. */
export function announced(operation: Operation): Announcement | null {
  const { f, key, argument, outcome, result } = operation
  const { slot } = (result ?? {}) as { readonly slot?: number }
  if (outcome !== 'ok' || typeof slot !== 'number') return null
  const announce = (what: string, isIt: ((event: ChatEvent) => boolean) | null): Announcement => ({
    slot,
    what: `${what} of ${JSON.stringify(key)}`,
    isEvent: isIt === null ? null : (value) => (value as ChatEvent).room === key && isIt(value as ChatEvent),
  })
  switch (f) {
    case 'append': {
      const { number } = result as ChatResults['post']
      return announce(
        `message ${number}`,
        (event) => event.type === 'posted' && event.message.number === number && event.message.text === argument,
      )
    }
    case 'edit': {
      const [number, text] = argument as readonly [number, string]
      return announce(
        `an edit of message ${number}`,
        (event) => event.type === 'changed' && event.message.number === number && event.message.text === text,
      )
    }
    case 'erase':
      return announce(
        `the end of message ${String(argument)}`,
        (event) => event.type === 'changed' && event.message.number === argument && event.message.deleted,
      )
    case 'join': {
      const { id } = result as ChatResults['join']
      // Who is in the room already says nothing, or has another name.
      if (id !== slot) return null
      return announce(
        `the coming of ${String(argument)} into the room`,
        (event) => event.type === 'joined' && event.who.id === id && event.who.name === argument,
      )
    }
    case 'leave': {
      const { left } = result as ChatResults['leave']
      return announce('a leaving', left ? (event) => event.type === 'left' : null)
    }
    default:
      return null
  }
}
