/** `snapshot`: one server writes a snapshot now. */
import { EXIT_DONE, orCancelled, print } from '@synod/terminal'
import { longOptions, type Session } from './session.js'

/** `snapshot`: the last slot that is in it, and its file on the server's machine. JSON: `{"server","slot","path"}`. */
export async function snapshot(session: Session, server: string | undefined): Promise<number> {
  const writing = session.store.connection.snapshot(server, longOptions(session))
  const { address, slot, path } = await orCancelled(session, writing)
  await print(session.json ? JSON.stringify({ server: address, slot, path }) : `slot ${slot}: ${path}`)
  return EXIT_DONE
}
