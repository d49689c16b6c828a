/** `dump`: one server's own state. */
import { EXIT_DONE, note, orCancelled, write } from '@synod/terminal'
import type { Session } from './session.js'

/**
 * `dump`: a line `{"key","value"}` for each pair, in the order of keys, so that equal states give equal bytes; the slot
 * that the state stands at on standard error (JSON: `{"server","slot","pairs"}`).
 */
export async function dump(session: Session, server: string): Promise<number> {
  await orCancelled(session, dumpTo(session, server))
  return EXIT_DONE
}

async function dumpTo({ store, json, signal }: Session, server: string): Promise<void> {
  const { slot, entries } = await store.connection.dump(server)
  let pairs = 0
  let piece = ''
  for await (const entry of entries) {
    const [key, value] = entry as readonly [string, string]
    piece += `${JSON.stringify({ key, value })}\n`
    pairs += 1
    if (piece.length < 65_536) continue
    await write(piece)
    piece = ''
    signal.throwIfAborted()
  }
  await write(piece)
  note(json ? JSON.stringify({ server, slot, pairs }) : `${pairs} pairs, as ${server} has them at slot ${slot}`)
}
