/** The whole log of a room, as it was at one moment, though it is read in pages. */
import { MAX_PAGE } from '@synod/chatroom'
import type { ChatMessage, ChatOp, ChatResults } from '@synod/chatroom'

/** So often the log may change while it is read, before that is given up. */
const ATTEMPTS = 5

export type Submit = (op: ChatOp) => Promise<unknown>

/** null: it was changed again and again meanwhile. */
export async function wholeLog(submit: Submit, room: string): Promise<readonly ChatMessage[] | null> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const pages = await read(submit, room, Infinity)
    const before = pages.slice(0, -1).flat()
    // What a page says may be edited before the next one is read. If all is still as it was, it was so meanwhile.
    const after = before.length === 0 ? [] : (await read(submit, room, before.length)).flat()
    if (before.every((message, place) => isSame(message, after[place]))) return pages.flat()
  }
  return null
}

/** All pages until so many messages are read. */
async function read(submit: Submit, room: string, atLeast: number): Promise<ChatMessage[][]> {
  const pages: ChatMessage[][] = []
  for (let count = 0, after = 0; ;) {
    const op: ChatOp = { type: 'read', room, limit: MAX_PAGE, after }
    const { messages, last } = (await submit(op)) as ChatResults['read']
    pages.push([...messages])
    count += messages.length
    after = messages.at(-1)?.number ?? last
    // No servers that work answer an empty page before the end; but those under test may not.
    if (after >= last || count >= atLeast || messages.length === 0) return pages
  }
}

function isSame(a: ChatMessage, b: ChatMessage | undefined): boolean {
  return a.number === b?.number && a.edits === b.edits && a.deleted === b.deleted && a.text === b.text
}
