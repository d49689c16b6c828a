/** The chatroom as the harness sees it: rooms, each a log of messages that can be changed, and those who are there. */
import { chatroom, LOBBY, MAX_PAGE } from '@synod/chatroom'
import type { ChatMessage, ChatOp, ChatResult, ChatResults } from '@synod/chatroom'
import { chatModel } from '../checker/models/chat.js'
import type { HistoryEvent } from '../history/history.js'
import { announced } from './chat-announced.js'
import { presence } from './chat-presence.js'
import { contentOf, edit, erase, join, leave, post, readLog, who } from './chat-tasks.js'
import type { ChatTask } from './chat-tasks.js'
import { chatWorkload } from './chat-workload.js'
import type { DataStep, Subject, Task } from './subject.js'

export const chatSubject: Subject = {
  name: 'chatroom',
  service: chatroom,
  model: chatModel,
  task: taskOf,
  probe: readLog(LOBBY),
  workload: chatWorkload,
  finalReads,
  log: (value) => (value as readonly (string | null)[]).filter((text) => text !== null),
  here: (value) => (value as Pick<ChatResults['who'], 'here'>).here.map(({ name }) => name),
  announced,
  review: presence,
}

function taskOf(step: DataStep): Task | string {
  const room = 'room' in step ? (step.room ?? LOBBY) : LOBBY
  switch (step.type) {
    case 'Put':
      return checked(step, post(clientName(step.id), room, step.message))
    case 'Get':
      return step.key === undefined ? readLog(room) : 'key: the chatroom has no keys; its Get reads the log'
    case 'Edit':
      return checked(step, edit(clientName(step.id), room, step.number, step.message))
    case 'Erase':
      return checked(step, erase(clientName(step.id), room, step.number))
    case 'Join':
      return checked(step, join(room, step.name ?? clientName(step.id)))
    case 'Leave':
      return checked(step, leave(room))
    case 'Who':
      return checked(step, who(room))
    default:
      return `the chatroom has no ${step.type}: use Put, Get, Edit, Erase, Join, Leave and Who`
  }
}

function clientName(id: number): string {
  return `client ${id}`
}

/** The task, or what is wrong with its operation, by the names that the step's fields have. */
function checked(step: DataStep, task: ChatTask): Task | string {
  const result = chatroom.op.safeParse(task.op)
  if (result.success) return task
  const [issue] = result.error.issues
  const field = String(issue?.path[0] ?? '')
  const name = field === 'text' ? 'message' : field
  return `${name in step ? `${name}: ` : ''}${issue?.message ?? 'not an operation of the chatroom'}`
}

/** What the state answers to those who read every room of it, and of the history. */
function finalReads(
  entries: readonly unknown[],
  history: readonly HistoryEvent[],
): Pick<HistoryEvent, 'f' | 'key' | 'value'>[] {
  const state = chatroom.state()
  state.restore(entries)
  const ask = (op: ChatOp): ChatResult => state.execute(0, { clientId: '', op }, () => undefined)
  const { rooms } = ask({ type: 'rooms' }) as ChatResults['rooms']
  const names = new Set(rooms.map(({ room }) => room))
  for (const { f, key } of history) if (['append', 'read'].includes(f) && typeof key === 'string') names.add(key)
  return [...names].map((room) => {
    const found: ChatMessage[] = []
    for (let after = 0; ; after = found.length) {
      const { messages } = ask({ type: 'read', room, limit: MAX_PAGE, after }) as ChatResults['read']
      found.push(...messages)
      if (messages.length === 0) return { f: 'read', key: room, value: found.map(contentOf) }
    }
  })
}
