/** A turn that takes long to hear all that has arrived ends in between. */
import { realClock } from '@synod/paxos/internal/clock'
import { Server } from '@synod/paxos/internal/server/server'
import { MemoryStorage } from '@synod/paxos/internal/storage/memory-storage'
import type { StoredRecord } from '@synod/paxos/internal/storage/storage'
import { decodeServerFrame, encodeFrame } from '@synod/paxos/internal/transport/codec'
import type { Frame } from '@synod/paxos/internal/transport/codec'
import type { Connection, ConnectionHandlers, Transport } from '@synod/paxos/internal/transport/transport'
import { WIRE_VERSION } from '@synod/paxos/internal/transport/wire'
import t from 'tap'
import { adding, counter, QUICK, until } from './support.js'

class Counting extends MemoryStorage {
  appends = 0

  override append(records: readonly StoredRecord[]): Promise<void> {
    this.appends++
    return super.append(records)
  }
}

t.test('what has arrived is proposed in time, though more arrives', async (t) => {
  let skipped = 0
  const clock = { ...realClock, now: () => realClock.now() + skipped }
  let accept: ((connection: Connection) => ConnectionHandlers) | undefined
  const transport: Transport = {
    listen: (call) => {
      accept = call
      return Promise.resolve()
    },
    dial: () => t.fail('there is nobody to dial') as never,
    close: () => Promise.resolve(),
  }
  const storage = new Counting()
  const warn = (line: string): void => void t.fail(line)
  const server = new Server({ service: counter, id: 0, addresses: ['a:1'], storage, transport, clock, timing: QUICK, warn }) // prettier-ignore
  t.teardown(() => server.close())
  await server.start()
  await server.serving
  const sessions: string[] = []
  const connection: Connection = {
    remote: 'client',
    buffered: 0,
    close: () => undefined,
    send: (bytes) => {
      const frame = decodeServerFrame(bytes)
      if (frame.type !== 'replies') return
      for (const { localId, result } of frame.replies)
        if (localId === 0) sessions.push(Buffer.from(result.value).toString())
    },
  }
  const client = accept?.(connection)
  const say = (frame: Frame): void => client?.frame(encodeFrame(frame))
  say({ type: 'client', version: WIRE_VERSION, service: counter.name })
  say({ type: 'open', nonce: '0'.repeat(32) })
  const clientId = await until('the session is open', () => sessions[0])
  const submit = (localId: number): void =>
    say({ type: 'submit', clientId, acked: 0, commands: [[localId, adding(localId)]] })

  const before = storage.appends
  submit(1)
  submit(2)
  t.equal(storage.appends, before, 'they share a turn')
  skipped += 30
  submit(3)
  t.equal(storage.appends, before + 1, 'the turn was overdue')
  submit(4)
  t.equal(storage.appends, before + 1)
})
