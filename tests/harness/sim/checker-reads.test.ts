/** The checker judges reads without the log: by what the service answers after the same slot, and that it changes nothing. */
import { packValue } from '@synod/paxos/internal/codec/values'
import { machineOf } from '@synod/paxos/internal/service/service-codec'
import { observedService } from '@synod/harness/internal/sim/observed-state'
import { defineService, Refusal } from '@synod/paxos'
import t from 'tap'
import { z } from 'zod'
import { accept, add, ballot, begun, breaks } from './little-checker.js'

/** What a read of the sum comes to. */
const sum = (value: number): Uint8Array => packValue([value, []])
const READ = { add: 0 }

t.test('a read is right or wrong by the slot that it names, whichever server answers it, in whatever order', (t) => {
  const { checker } = begun()
  const read = (server: number, slot: number, value: number) => () =>
    checker.read(server, slot, READ, sum(value), false)
  for (const [server, slot, value] of [
    [0, 3, 3],
    [1, 2, 1],
    [2, 0, 0],
    [1, 3, 3],
    [2, 1, 0],
    [1, 2, 1],
  ] as const)
    // prettier-ignore
    t.doesNotThrow(read(server, slot, value), `server ${server} after slot ${slot}`)
  breaks(t, 'reads', read(0, 3, 1), /server 0 .* after slot 3/)
  breaks(t, 'reads', read(1, 2, 3), /server 1 .* after slot 2/)
  breaks(t, 'reads', read(2, 4, 3), /nothing is durable/)
  for (const server of [0, 1]) checker.durable(server, [accept(ballot(1), 4, add(3, 7))], 4)
  t.doesNotThrow(read(2, 4, 10))
  t.doesNotThrow(read(0, 3, 3), 'an old state is as right as it was')
  t.end()
})

t.test('a read that changes the state is a violation, be its answer right', (t) => {
  const { checker } = begun()
  breaks(t, 'reads', () => checker.read(0, 3, READ, sum(3), true), /server 0 has changed its state/)
  t.end()
})

t.test('an observed state tells of reads apart, what came of them, and whether they changed it', (t) => {
  const told: unknown[] = []
  let count = 0
  const service = defineService({
    name: 'careless',
    op: z.enum(['look', 'touch', 'refuse', 'emit', 'touch and emit']),
    readOnly: () => true,
    state: () => ({
      execute: (_slot: number, { op }: { readonly op: string }, emit: (event: string) => void): number => {
        if (op.startsWith('touch')) count++
        if (op === 'refuse') throw new Refusal('NO', 'no')
        if (op.endsWith('emit')) emit('an event')
        return count
      },
      snapshot: () => [count],
      restore: () => undefined,
    }),
  })
  const { read } = machineOf(
    observedService(service, {
      executed: () => told.push('executed'),
      read: (slot, op, outcome, changed) => told.push([slot, op, Buffer.from(outcome), changed]),
    }),
  )
  t.match(read(7, 'look'), { status: 'ok' })
  t.match(read(7, 'touch'), { status: 'ok' })
  t.match(read(8, 'refuse'), { status: 'refused' })
  t.throws(() => read(8, 'emit'), { code: 'READ_FAILED' })
  t.throws(() => read(9, 'touch and emit'), { code: 'READ_FAILED' })
  t.strictSame(told, [
    [7, 'look', packValue([0, []]), false],
    [7, 'touch', packValue([1, []]), true],
    [8, 'refuse', packValue(['NO', 'no', {}]), false],
    [9, 'touch and emit', Buffer.alloc(0), true],
  ])
  t.end()
})
