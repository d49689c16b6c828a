/** The chatroom as the harness sees it: a log of messages. */
import { chatroom } from '@synod/chatroom'
import type { ChatMessage, ChatOp } from '@synod/chatroom'
import { chatModel } from '../checker/models/chat.js'
import type { DataStep, Subject, Task, WorkloadShape } from './subject.js'

interface Page {
  readonly messages: readonly ChatMessage[]
  readonly total: number
}

export const chatSubject: Subject = {
  name: 'chatroom',
  service: chatroom,
  model: chatModel,
  task: taskOf,
  probe: read(),
  workload,
  finalReads: (entries) => [
    { f: 'read', key: null, value: (entries as readonly ChatMessage[]).map(({ text }) => text) },
  ],
  log: (value) => value as readonly string[],
}

function taskOf(step: DataStep): Task | string {
  switch (step.type) {
    case 'Put':
      return post(`client ${step.id}`, step.message)
    case 'Get':
      return step.key === undefined ? read() : 'key: the chatroom has no keys; its Get reads the log'
    default:
      return `the chatroom has no ${step.type}: use Put and Get`
  }
}

function post(author: string, text: string): Task | string {
  const op: ChatOp = { type: 'post', author, text }
  const checked = chatroom.op.safeParse(op)
  if (!checked.success) return `message: ${checked.error.issues[0]?.message ?? 'not a message'}`
  return {
    f: 'append',
    value: text,
    reads: false,
    run: async (submit) => {
      await submit(op)
      return { type: 'ok', value: text }
    },
  }
}

/** The whole log. It only grows, so the pages together are what it was when the last of them was read. */
function read(): Task {
  return {
    f: 'read',
    reads: true,
    run: async (submit) => {
      const texts: string[] = []
      for (let total = Infinity; texts.length < total;) {
        const page = (await submit({ type: 'read', from: texts.length + 1 } satisfies ChatOp)) as Page
        texts.push(...page.messages.map(({ text }) => text))
        total = page.total
      }
      return { type: 'ok', value: texts }
    },
  }
}

function workload({ mix = { read: 1, append: 3 } }: WorkloadShape): ReturnType<Subject['workload']> {
  const reads = (mix.read ?? 0) + (mix.list ?? 0)
  const writes = (mix.append ?? 0) + (mix.write ?? 0)
  return (prng, number) => {
    const task = prng.chance(reads / (reads + writes)) ? read() : post('workload', `message ${number}`)
    if (typeof task === 'string') throw new Error(task)
    return task
  }
}
