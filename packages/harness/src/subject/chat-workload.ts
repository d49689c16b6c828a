/** What the clients of a chatroom's workload do, at random. */
import { LOBBY } from '@synod/chatroom'
import type { ChatResults } from '@synod/chatroom'
import { edit, erase, join, leave, post, readLog, who } from './chat-tasks.js'
import type { Draw, Task, WorkloadShape } from './subject.js'

const MIX = { read: 1, append: 3 }
const KINDS: readonly string[] = ['read', 'append', 'edit', 'erase', 'join', 'leave', 'who']

/** All of it in one room. A client changes only messages of its own, and posts one if it has none. */
export function chatWorkload({ keys, bytes, mix = MIX, ops }: WorkloadShape): Draw | string {
  if (ops !== undefined) return 'ops: the chatroom has operations of its own: weigh them by mix'
  if (keys !== undefined) return 'keys: the chatroom has none'
  if (bytes !== undefined) return 'bytes: messages of the chatroom are as long as they are'
  const kinds = Object.entries(mix).flatMap(([kind, weight]) => (weight > 0 ? [{ kind, weight }] : []))
  const unknown = kinds.find(({ kind }) => !KINDS.includes(kind))
  if (unknown !== undefined) return `mix: the chatroom has no ${unknown.kind}, only ${KINDS.join(', ')}`
  const total = kinds.reduce((sum, { weight }) => sum + weight, 0)
  /** By client: the numbers of the messages that it knows to be its own. */
  const posted = new Map<string, number[]>()
  return (prng, number, client) => {
    let at = prng.float() * total
    const kind = kinds.find(({ weight }) => (at -= weight) < 0)?.kind ?? 'read'
    let own = posted.get(client)
    if (own === undefined) posted.set(client, (own = []))
    switch (kind) {
      case 'read':
        return readLog(LOBBY)
      case 'join':
        return join(LOBBY, client)
      case 'leave':
        return leave(LOBBY)
      case 'who':
        return who(LOBBY)
      case 'edit':
        return own.length === 0 ? posting(client, number, own) : edit(client, LOBBY, prng.pick(own), `edit ${number}`)
      case 'erase':
        return own.length === 0 ? posting(client, number, own) : erase(client, LOBBY, prng.pick(own))
      default:
        return posting(client, number, own)
    }
  }
}

/** Posts a message, and notes its number among the client's own. */
function posting(client: string, number: number, own: number[]): Task {
  const task = post(client, LOBBY, `message ${number}`)
  return {
    ...task,
    run: async (submit, readStale) => {
      const answer = await task.run(submit, readStale)
      own.push((answer.value as ChatResults['post']).number)
      return answer
    },
  }
}
