/** What clients of the chatroom do: operations, with what a history says of them. */
import { createHash } from 'node:crypto'
import type { ChatMessage, ChatOp, ChatOpOf, ChatResult, ChatResults } from '@synod/chatroom'
import { wholeLog } from './chat-log.js'
import type { Submit } from './chat-log.js'
import type { Answer, Task } from './subject.js'

/** A task that says which operation it will send, so that this can be checked before. */
export interface ChatTask extends Task {
  readonly op: ChatOp
}

export function post(client: string, room: string, text: string): ChatTask {
  const op = { type: 'post', room, author: client, key: keyOf(client), text, at: 0 } as const
  return writing('append', op, text, ({ slot, number }: ChatResults['post']) => ({ number, slot }))
}

export function edit(client: string, room: string, number: number, text: string): ChatTask {
  const op = { type: 'edit', room, number, key: keyOf(client), text } as const
  return writing('edit', op, [number, text], ({ slot }: ChatResults['edit']) => ({ slot }))
}

export function erase(client: string, room: string, number: number): ChatTask {
  const op = { type: 'delete', room, number, key: keyOf(client) } as const
  return writing('erase', op, number, ({ slot }: ChatResults['delete']) => ({ slot }))
}

export function join(room: string, name: string): ChatTask {
  return writing('join', { type: 'join', room, name }, name, (result: ChatResults['join']) => result)
}

export function leave(room: string): ChatTask {
  return writing('leave', { type: 'leave', room }, undefined, (result: ChatResults['leave']) => result)
}

export function who(room: string): ChatTask {
  const op = { type: 'who', room } as const
  return { f: 'who', key: room, reads: true, op, run: async (submit) => ok(await submit(op)) }
}

export function readLog(room: string): Task {
  return {
    f: 'read',
    key: room,
    reads: true,
    run: async (submit: Submit) => {
      const messages = await wholeLog(submit, room)
      return messages === null ? { type: 'fail', error: 'IN_PAGES' } : ok(messages.map(contentOf))
    },
  }
}

function writing<Result extends ChatResult>(
  f: Task['f'],
  op: ChatOpOf<'post' | 'edit' | 'delete' | 'join' | 'leave'>,
  value: unknown,
  answer: (result: Result) => unknown,
): ChatTask {
  return {
    f,
    key: op.room,
    ...(value !== undefined && { value }),
    reads: false,
    op,
    run: async (submit) => ok(answer((await submit(op)) as Result)),
  }
}

function ok(value: unknown): Answer {
  return { type: 'ok', value }
}

/** What a history says of a message: null if it was deleted. */
export function contentOf({ text, deleted }: ChatMessage): string | null {
  return deleted ? null : text
}

/** A client shows the same key for all its messages: they are its own, whichever connection it posts them by. */
function keyOf(client: string): string {
  return createHash('sha256').update(client).digest('hex').slice(0, 32)
}
