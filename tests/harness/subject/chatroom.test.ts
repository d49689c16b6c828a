/** The chatroom as the harness sees it: logs that are read in pages, what is drawn for it, and what its state says at the end. */
import { chatroom, MAX_PAGE } from '@synod/chatroom'
import type { ChatEvent, ChatOp } from '@synod/chatroom'
import { wholeLog } from '@synod/harness/internal/subject/chat-log'
import { chatSubject } from '@synod/harness/internal/subject/chatroom'
import type { Task } from '@synod/harness/internal/subject/subject'
import { Refusal } from '@synod/paxos'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import t from 'tap'

const KEY = '0'.repeat(32)
const post = (text: string, room = 'lobby'): ChatOp => ({ type: 'post', room, author: 'a', key: KEY, text, at: 0 })
const edit = (number: number, text: string): ChatOp => ({ type: 'edit', room: 'lobby', number, key: KEY, text })

/** A state of its own, that executes what it is told at once. */
function room(): { submit: (op: unknown) => Promise<unknown>; events: ChatEvent[]; entries: () => unknown[] } {
  const state = chatroom.state()
  const events: ChatEvent[] = []
  let slot = 0
  const submit = async (op: unknown): Promise<unknown> =>
    state.execute(++slot, { clientId: 'me', op: op as ChatOp }, (event) => void events.push(event))
  return { submit, events, entries: () => [...state.snapshot()] }
}

t.test('a log of several pages is read whole', async (t) => {
  const { submit } = room()
  for (let number = 1; number <= 2 * MAX_PAGE + 1; number++) await submit(post(`m${number}`))
  const log = await wholeLog(submit, 'lobby')
  t.strictSame(
    log?.map(({ text }) => text),
    Array.from({ length: 2 * MAX_PAGE + 1 }, (_, index) => `m${index + 1}`),
  )
  t.strictSame(await wholeLog(submit, 'attic'), [])
})

t.test('what is edited while its pages are read is read again: no log is told that never was', async (t) => {
  const { submit } = room()
  for (let number = 1; number <= MAX_PAGE + 1; number++) await submit(post(`m${number}`))
  let reads = 0
  const between = async (op: unknown): Promise<unknown> => {
    // Behind the first page: message 1 is edited, and then one more is posted.
    if (++reads === 2) {
      await submit(edit(1, 'edited'))
      await submit(post('last'))
    }
    return submit(op)
  }
  const log = await wholeLog(between, 'lobby')
  t.equal(log?.[0]?.text, 'edited')
  t.equal(log?.at(-1)?.text, 'last')
  let edits = 0
  const always = async (op: unknown): Promise<unknown> => {
    await submit(edit(1, `edit ${++edits}`))
    return submit(op)
  }
  t.equal(await wholeLog(always, 'lobby'), null, 'and given up if that never ends')
})

t.test('each client draws changes of its own messages only, and posts where it has none', async (t) => {
  const { submit, events } = room()
  const draw = chatSubject.workload({ mix: { edit: 3, erase: 1, append: 1 } })
  if (typeof draw === 'string') throw new Error(draw)
  const prng = new Prng(1)
  const seen = new Set<string>()
  for (let number = 1; number <= 200; number++) {
    const task: Task = draw(prng, number, `w${number % 3}`)
    try {
      await task.run(submit, () => Promise.reject(new Error('no stale reads here')))
      seen.add(task.f)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      t.equal(error.code, 'DELETED')
    }
  }
  t.strictSame([...seen].sort(), ['append', 'edit', 'erase'])
  t.equal(events[0]?.type, 'posted')
})

t.test('the final state is read room by room, erased messages as null', async (t) => {
  const { submit, entries } = room()
  for (const op of [post('a'), post('b'), edit(1, 'A'), post('c', 'attic')]) await submit(op)
  await submit({ type: 'delete', room: 'lobby', number: 2, key: KEY })
  const history = [{ process: 0, type: 'invoke', f: 'append', key: 'cellar', value: 'lost', time: 0 }] as const
  t.strictSame(chatSubject.finalReads(entries(), history), [
    { f: 'read', key: 'attic', value: ['c'] },
    { f: 'read', key: 'lobby', value: ['A', null] },
    { f: 'read', key: 'cellar', value: [] },
  ])
})
