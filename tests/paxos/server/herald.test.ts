import { Herald } from '@synod/paxos/internal/server/herald'
import { decodeServerFrame } from '@synod/paxos/internal/transport/codec'
import t from 'tap'
import { ManualClock } from '../manual-clock.js'

/** Clients, and what each was told. */
function hearers(count: number) {
  const told: unknown[][] = Array.from({ length: count }, () => [])
  const clients = told.map((frames) => ({
    onlyAsks: false,
    connection: {
      remote: '',
      buffered: 0,
      close: () => undefined,
      send: (bytes: Uint8Array) => {
        const frame = decodeServerFrame(bytes)
        frames.push(frame.type === 'leader' ? frame.leader : frame)
      },
    },
  }))
  return { told, clients: new Set(clients) }
}

t.test(
  'a few clients are told at once who leads; thousands bit by bit, so that they do not all come at once',
  async (t) => {
    const clock = new ManualClock()
    const few = hearers(8)
    new Herald(few.clients, clock).tell(2)
    t.strictSame(few.told, Array(8).fill([2]))

    const many = hearers(2_000)
    const herald = new Herald(many.clients, clock)
    const count = (): number => many.told.filter((frames) => frames.length > 0).length
    herald.tell(1)
    t.equal(herald.leader, 1)
    t.ok(count() < 100, `${count()} at once`)
    await clock.pass(1_000)
    t.ok(count() < 1_000, `${count()} in a second`)
    await clock.pass(9_000)
    t.strictSame(many.told, Array(2_000).fill([1]))
  },
)

t.test('those who have not been told of one leader when another one leads hear only of that one', async (t) => {
  const clock = new ManualClock()
  const { told, clients } = hearers(500)
  const herald = new Herald(clients, clock)
  herald.tell(1)
  await clock.pass(150)
  herald.tell(1)
  herald.tell(null)
  herald.tell(2)
  await clock.pass(5_000)
  t.ok(told.every((frames) => frames.at(-1) === 2))
  t.strictSame(told.at(-1), [2])
})

t.test('nobody is told anything after the end', async (t) => {
  const clock = new ManualClock()
  const { told, clients } = hearers(500)
  const herald = new Herald(clients, clock)
  herald.tell(1)
  herald.stop()
  await clock.pass(5_000)
  t.strictSame(told.at(-1), [])
})
