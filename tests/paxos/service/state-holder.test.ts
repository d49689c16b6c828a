import { defineService, inPieces } from '@synod/paxos'
import { packValue } from '@synod/paxos/internal/codec/values'
import { machineOf } from '@synod/paxos/internal/service/service-codec'
import t from 'tap'
import { z } from 'zod'

const sums = (pieces: boolean) =>
  defineService({
    name: 'sums',
    op: z.number(),
    state: () => {
      let sum = 0
      return {
        execute: (_slot, { op }) => (sum += op),
        snapshot: () => (pieces ? inPieces([sum]) : [sum]),
        restore: (entries) => {
          for (const entry of entries) {
            if (typeof entry !== 'number') throw new TypeError('not a number')
            sum += entry
          }
        },
      }
    },
  })

t.test('the machine goes on with whichever state is held', (t) => {
  const { machine, holder } = machineOf(sums(false))
  const add = (by: number) => machine.execute(1, 'client', packValue(by), () => undefined)
  add(5)
  t.strictSame([...holder.snapshot().entries], [5])
  holder.reset()
  t.strictSame([...holder.snapshot().entries], [0])
  holder.restore([3, 4])
  holder.restore([10])
  add(1)
  t.strictSame([...holder.snapshot().entries], [18])
  t.end()
})

t.test('it knows whether a snapshot may be drained in pieces', (t) => {
  t.equal(machineOf(sums(false)).holder.snapshot().pieces, false)
  t.equal(machineOf(sums(true)).holder.snapshot().pieces, true)
  t.end()
})

t.test('a state that does not take what it yielded is a mistake that names the service', (t) => {
  t.throws(() => machineOf(sums(false)).holder.restore(['x']), {
    code: 'STATE_FAILED',
    message: 'the state of service "sums" cannot be restored: not a number',
  })
  t.end()
})

t.test('who listens hears of marks', (t) => {
  const { machine, holder } = machineOf(sums(false))
  const heard: unknown[] = []
  machine.mark(4, 'a chain')
  holder.onMark = (slot, chain) => heard.push([slot, chain])
  machine.mark(5, 'a chain')
  t.strictSame(heard, [[5, 'a chain']])
  t.end()
})
