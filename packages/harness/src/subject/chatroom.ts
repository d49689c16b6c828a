/** The chatroom as the harness sees it: a log of messages. */
import { chatroom } from '@synod/chatroom'
import type { ChatMessage, ChatOp } from '@synod/chatroom'
import { chatModel } from '../checker/models/chat.js'
import type { DataStep, Draw, Subject, Task, WorkloadShape } from './subject.js'

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
      for (;;) {
        const { messages, total } = (await submit({ type: 'read', from: texts.length + 1 } satisfies ChatOp)) as Page
        texts.push(...messages.map(({ text }) => text))
        // No servers that work answer an empty page before the end; but those under test may not.
        if (texts.length >= total || messages.length === 0) return { type: 'ok', value: texts }
      }
    },
  }
}

function workload({ keys, mix = { read: 1, append: 3 } }: WorkloadShape): Draw | string {
  if (keys !== undefined) return 'keys: the chatroom has none'
  const { read: reads = 0, append: appends = 0, ...others } = mix
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) return `mix: the chatroom has no ${unknown}, only append and read`
  return (prng, number) => {
    const task = prng.chance(reads / (reads + appends)) ? read() : post('workload', `message ${number}`)
    if (typeof task === 'string') throw new Error(task)
    return task
  }
}
