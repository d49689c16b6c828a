/** Random operations on the chatroom's state, against one that is slow and plainly right. */
import { MAX_JOINED, type ChatEvent, type ChatMessage, type ChatOp, type Presence } from '@synod/chatroom'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { isInPieces } from '@synod/paxos/internal/service/service'
import t from 'tap'
import { hex, post, TestRoom } from './room.js'

interface Message extends ChatMessage {
  readonly key: string
}

interface Stay extends Presence {
  readonly clientId: string
  readonly room: string
}

/** Lists, searched from one end to the other. */
class Model {
  rooms: string[] = []
  messages: (Message & { readonly room: string })[] = []
  stays: Stay[] = []

  /** The result, or the code of a refusal; and the events. */
  execute(slot: number, clientId: string, op: ChatOp): [unknown, ChatEvent[]] {
    const inRoom = 'room' in op ? this.messages.filter(({ room }) => room === op.room) : []
    const here = 'room' in op ? this.stays.filter(({ room }) => room === op.room) : []
    switch (op.type) {
      case 'post': {
        const same = (nonce: string | undefined) => inRoom.find((each) => each.nonce === nonce && each.key === op.key)
        const known = op.nonce === undefined ? undefined : same(op.nonce)
        if (known !== undefined) return [{ slot, number: known.number }, []]
        if (op.follows !== undefined && same(op.follows) === undefined) return ['OUT_OF_ORDER', []]
        const { room, key, author, text, at, nonce } = op
        const number = inRoom.length + 1
        const message = { number, author, text, at, edits: 0, deleted: false, ...(nonce !== undefined && { nonce }) }
        this.add(room)
        this.messages.push({ ...message, key, room })
        return [{ slot, number }, [{ type: 'posted', room, message }]]
      }
      case 'edit':
      case 'delete': {
        const found = inRoom[op.number - 1]
        if (found === undefined) return ['NO_MESSAGE', []]
        if (found.key !== op.key) return ['NOT_YOURS', []]
        if (found.deleted) return ['DELETED', []]
        const changed =
          op.type === 'edit'
            ? { ...found, text: op.text, edits: found.edits + 1 }
            : { ...found, text: '', deleted: true }
        this.messages[this.messages.indexOf(found)] = changed
        const message = shown(changed)
        return [{ slot, message }, [{ type: 'changed', room: op.room, message }]]
      }
      case 'read': {
        const { before = Infinity, after } = op
        const wanted = inRoom.filter(({ number }) => number < before && number > (after ?? 0)).map(shown)
        const messages = after === undefined ? wanted.slice(-op.limit) : wanted.slice(0, op.limit)
        return [{ slot, messages, first: 1, last: inRoom.length }, []]
      }
      case 'rooms': {
        const rooms = this.rooms.toSorted().map((room) => ({
          room,
          last: this.messages.filter((each) => each.room === room).length,
          here: this.stays.filter((each) => each.room === room).length,
        }))
        return [{ slot, rooms }, []]
      }
      case 'join': {
        const mine = here.find((each) => each.clientId === clientId)
        if (mine === undefined && this.stays.filter((each) => each.clientId === clientId).length === MAX_JOINED)
          return ['TOO_MANY_JOINED', []]
        const stay = { clientId, room: op.room, id: mine?.id ?? slot, name: op.name }
        this.add(op.room)
        if (mine === undefined) this.stays.push(stay)
        else this.stays[this.stays.indexOf(mine)] = stay
        const now = this.stays.filter(({ room }) => room === op.room).map(presence)
        const events: ChatEvent[] =
          mine?.name === op.name ? [] : [{ type: 'joined', room: op.room, who: presence(stay) }]
        return [{ slot, id: stay.id, here: now }, events]
      }
      case 'leave': {
        const mine = here.find((each) => each.clientId === clientId)
        return [{ slot, left: mine !== undefined }, this.remove(mine === undefined ? [] : [mine])]
      }
      case 'who':
        return [{ slot, here: here.map(presence) }, []]
    }
  }

  end(clientId: string): ChatEvent[] {
    return this.remove(this.stays.filter((each) => each.clientId === clientId))
  }

  remove(stays: readonly Stay[]): ChatEvent[] {
    this.stays = this.stays.filter((each) => !stays.includes(each))
    const all = [...this.messages, ...this.stays]
    this.rooms = this.rooms.filter((room) => all.some((each) => each.room === room))
    return stays.map((stay) => ({ type: 'left', room: stay.room, who: presence(stay) }))
  }

  add(room: string): void {
    if (!this.rooms.includes(room)) this.rooms.push(room)
  }
}

function shown({ number, author, text, at, edits, deleted, nonce }: ChatMessage): ChatMessage {
  return { number, author, text, at, edits, deleted, ...(nonce !== undefined && { nonce }) }
}

function presence({ id, name }: Presence): Presence {
  return { id, name }
}

const ROOMS = [
  'lobby',
  '__proto__',
  'constructor',
  'é',
  '😀',
  '\uffff',
  ...Array.from({ length: 18 }, (_, n) => `${n}`),
]

function randomOp(prng: Prng): ChatOp {
  const room = prng.chance(0.7) ? prng.pick(ROOMS.slice(0, 3)) : prng.pick(ROOMS)
  const author = prng.pick(['ada', 'eve'])
  const key = hex(author)
  const number = 1 + prng.below(12)
  const limit = 1 + prng.below(6)
  const text = prng.pick(['hello', '<b>', '漢字'])
  const nonce = (): string => hex(String(prng.below(30)))
  switch (prng.below(11)) {
    case 0:
      return prng.chance(0.5)
        ? { type: 'read', room, limit }
        : { type: 'read', room, limit, [prng.pick(['before', 'after'])]: number }
    case 1:
      return { type: 'rooms' }
    case 2:
      return { type: 'edit', room, number, key, text }
    case 3:
      return { type: 'delete', room, number, key }
    case 4:
    case 5:
    case 6:
      return { type: 'join', room: prng.pick(ROOMS), name: prng.pick(['ada', 'eve', 'lady']) }
    case 7:
      return { type: 'leave', room }
    case 8:
      return { type: 'who', room }
    default:
      return post(room, author, text, {
        ...(prng.chance(0.8) && { nonce: nonce() }),
        ...(prng.chance(0.3) && { follows: nonce() }),
      })
  }
}

t.test('random operations answer and tell as plain lists would, and snapshots carry the state over', (t) => {
  const seen = new Set<string>()
  for (let seed = 1; seed <= 60; seed += 1) {
    const prng = new Prng(seed)
    const model = new Model()
    let chat = new TestRoom()
    let view = viewOf(chat)
    for (let step = 0; step < 300; step += 1) {
      if (prng.chance(0.02)) {
        if (JSON.stringify([...view.entries]) !== view.wanted)
          throw new Error(`seed ${seed}, slot ${chat.slot}: a snapshot has changed since it was taken`)
        const copy = chat.copy(1 + prng.below(20))
        if (JSON.stringify([...copy.state.snapshot()]) !== JSON.stringify([...chat.state.snapshot()]))
          throw new Error(`seed ${seed}: a snapshot of what was restored is another one`)
        chat = copy
        view = viewOf(chat)
      }
      const clientId = `session ${prng.chance(0.6) ? 0 : prng.below(4)}`
      if (prng.chance(0.01)) {
        const expected = model.end(clientId)
        chat.end(clientId)
        t.strictSame(chat.taken(), expected, `seed ${seed}, slot ${chat.slot}: the end of ${clientId}`)
        continue
      }
      const op = randomOp(prng)
      const expected = model.execute(chat.slot + 1, clientId, op)
      const found = outcome(chat, op, clientId)
      const is = JSON.stringify([found, chat.taken()])
      if (is !== JSON.stringify(expected))
        throw new Error(`seed ${seed}, slot ${chat.slot}: ${JSON.stringify(op)} came to ${is}`)
      seen.add(typeof found === 'string' ? found : op.type)
    }
  }
  const outcomes =
    'post read rooms edit delete join leave who OUT_OF_ORDER NO_MESSAGE NOT_YOURS DELETED TOO_MANY_JOINED'
  t.strictSame([...seen].sort(), outcomes.split(' ').sort(), 'every kind of outcome was met')
  t.end()
})

/** A snapshot that is drained later, and what it must be then. */
function viewOf({ state }: TestRoom): { readonly entries: Iterable<unknown>; readonly wanted: string } {
  const entries = state.snapshot()
  if (!isInPieces(entries)) throw new Error('it must be said that it does not change')
  return { entries, wanted: JSON.stringify([...state.snapshot()]) }
}

function outcome(chat: TestRoom, op: ChatOp, clientId: string): unknown {
  try {
    return chat.do(op, clientId)
  } catch (error) {
    return (error as { code: string }).code
  }
}
