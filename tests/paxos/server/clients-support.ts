/** Clients' connections of a server, one by one, for tests of what becomes of their frames. */
import { Clients } from '@synod/paxos/internal/server/clients'
import type { ClientsHost } from '@synod/paxos/internal/server/clients'
import { realClock } from '@synod/paxos/internal/clock'
import type { Speaker } from '@synod/paxos/internal/server/greeter'
import { Log } from '@synod/paxos/internal/server/log'
import type { Command } from '@synod/paxos/internal/protocol/command'
import { EventRing } from '@synod/paxos/internal/protocol/event-ring'
import { SynodError } from '@synod/paxos'
import { packValue, unpackValue } from '@synod/paxos/internal/codec/values'
import { decodeServerFrame, encodeFrame } from '@synod/paxos/internal/transport/codec'
import type { Frame } from '@synod/paxos/internal/transport/codec'
import type { Connection } from '@synod/paxos/internal/transport/transport'
import { WIRE_VERSION } from '@synod/paxos/internal/transport/wire'
import { statusOf } from '../../support/status.js'

/** The server's end of a connection, whose other end reads when the test says so. */
export class Wire implements Connection {
  readonly remote = 'a client'
  buffered = 0
  reads = true
  readonly sent: ReturnType<typeof decodeServerFrame>[] = []
  closed: string | null = null
  speaker: Speaker = { frame: () => undefined, closed: () => undefined }

  send(frame: Uint8Array): void {
    this.sent.push(decodeServerFrame(frame))
    if (!this.reads) this.buffered += frame.length
  }

  close(reason: string): void {
    this.closed = reason
  }

  says(frame: Frame): void {
    this.speaker.frame(encodeFrame(frame))
  }
}

export const STATUS = statusOf({ service: 'counter', applied: 9 })

/** Clients of a server whose state has these entries, and what was proposed. `host`: where it is not as others. */
export function clients(entries: Iterable<unknown> = [], host: Partial<ClientsHost> = {}) {
  const proposed: Command[] = []
  const alive: string[] = []
  const warnings: string[] = []
  const tested = new Clients(
    {
      service: 'counter',
      id: 0,
      addresses: ['127.0.0.1:7000'],
      takes: () => 'yes',
      room: () => 1_000,
      admit: (op) => {
        const text = Buffer.from(op).toString()
        if (text === 'bad') throw new SynodError('BAD_OPERATION', 'not an operation')
        return Buffer.from(text.toUpperCase())
      },
      submit: (commands) => proposed.push(...commands),
      isWhole: () => true,
      applied: () => 9,
      admitRead: unpackValue,
      read: (_slot, op) => ({ status: 'ok', value: packValue(op) }),
      wake: () => undefined,
      alive: (clientId) => alive.push(clientId),
      status: () => STATUS,
      feedSource: { events: new EventRing(), next: () => 10 },
      snapshot: () => ({ slot: 9, entries }),
      digest: () => Promise.resolve(null),
      chain: () => [],
      handOver: () => Promise.resolve(null),
      takeSnapshot: () => Promise.resolve({ slot: 9, path: '/data/snapshot-9.paxos' }),
      ...host,
    },
    realClock,
    new Log(0, (line) => warnings.push(line)),
  )
  const connect = (service: string | null = 'counter'): Wire => {
    const wire = new Wire()
    wire.speaker = tested.accept(wire, { type: 'client', version: WIRE_VERSION, service })
    return wire
  }
  return { tested, proposed, alive, warnings, connect }
}
