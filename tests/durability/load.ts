/** Clients that put values with tokens, each one after the other, so that some commands share a write and others do not. */
import { kvstore } from '@synod/kvstore'
import { encodeOp } from '@synod/paxos/internal/service/service-codec'
import { RawClient, until } from '../paxos/server/support.js'
import type { Ledger } from './ledger.js'
import { tokenOf } from './ledger.js'

const CLIENTS_OF_A_SERVER = 3
export const PUTS = 20

/** Resolves when every put is acknowledged, with how many there were. */
export async function putThrough(
  owner: { teardown(work: () => Promise<void>): void },
  addresses: readonly string[],
  ledger: Ledger,
): Promise<number> {
  const servers = addresses.flatMap((address) => Array.from({ length: CLIENTS_OF_A_SERVER }, () => address))
  const clients = await Promise.all(
    servers.map(async (address) => {
      const client = new RawClient(address)
      owner.teardown(() => client.end())
      return client.hello('kvstore')
    }),
  )
  await Promise.all(clients.map((client, number) => put(client, number, ledger)))
  return clients.length * PUTS
}

async function put(client: RawClient, number: number, ledger: Ledger): Promise<void> {
  const clientId = await client.session(number.toString(16).padStart(32, '0'))
  for (let localId = 1; localId <= PUTS; localId++) {
    const token = tokenOf(number, localId)
    ledger.sent(clientId, localId, token)
    const { bytes } = encodeOp(kvstore, { type: 'set', key: `key ${number}`, value: token })
    client.send({ type: 'submit', clientId, acked: localId - 1, commands: [[localId, bytes]] })
    await until(`the outcome of ${token}`, () => outcomeOf(client, clientId, localId), 60_000)
  }
}

function outcomeOf(client: RawClient, clientId: string, localId: number): boolean {
  return client.frames.some(
    (frame) =>
      frame.type === 'replies' &&
      frame.replies.some(
        (reply) => reply.clientId === clientId && reply.localId === localId && reply.result.status === 'ok',
      ),
  )
}
