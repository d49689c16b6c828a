/** The proxies between servers, frame by frame. */
import { decodePeerFrame } from '@synod/paxos/internal/transport/codec'
import t from 'tap'
import { WebSocket } from 'ws'
import { until } from '../../support/cluster.js'
import { bulk, CLIENT_HELLO, Ends, HELLO, messages } from './ends.js'
import type { End } from './ends.js'

/** What a test waits for to be sure that nothing more comes (ms). */
const QUIET = 150

function quiet(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, QUIET))
}

/** The numbers of the messages that came. */
function numbers({ frames }: End): number[] {
  return frames.flatMap((bytes) => {
    const frame = decodePeerFrame(bytes)
    return frame.type === 'messages' ? [frame.batch] : []
  })
}

const HUNDRED = Array.from({ length: 100 }, (_, number) => number)

t.test('in calm every frame comes as it was, in order, both ways, and hardly later', async (t) => {
  const ends = await Ends.of(t)
  const [near, far] = await ends.connect()
  near.socket.send(HELLO)
  far.socket.send(HELLO)
  for (const number of HUNDRED) near.socket.send(messages(number))
  near.socket.send(bulk(4 << 20))
  await until('all came', () => far.frames.length === 102 && near.frames.length === 1)
  t.ok(far.frames[0]?.equals(HELLO))
  t.strictSame(numbers(far).slice(0, 100), HUNDRED)
  t.ok(far.frames.at(-1)?.equals(bulk(4 << 20)))
  t.notOk('origin' in (ends.headers[0] ?? {}))

  // There and back: the same over two sockets without a proxy takes about as long as one way here.
  const trips: number[] = []
  far.socket.on('message', (data) => far.socket.send(data as Buffer))
  for (const number of HUNDRED) {
    const began = performance.now()
    const back = new Promise((resolve) => near.socket.once('message', resolve))
    near.socket.send(messages(number))
    await back
    trips.push(performance.now() - began)
  }
  const median = trips.sort((a, b) => a - b)[50] ?? Infinity
  t.comment(`there and back: ${median.toFixed(3)} ms`)
  t.ok(median < 2, `${median} ms`)
  t.strictSame(ends.failures, [])
})

t.test('messages are lost and doubled at the rates of their direction, handshakes never', async (t) => {
  const ends = await Ends.of(t)
  const [near, far] = await ends.connect()
  ends.links.set(0, 1, { drop: 0.5 })
  for (const number of HUNDRED) {
    near.socket.send(HELLO)
    near.socket.send(messages(number))
    far.socket.send(messages(number))
  }
  await until('the handshakes came', () => far.frames.length - numbers(far).length === 100)
  const some = numbers(far)
  t.ok(some.length > 20 && some.length < 80, `${some.length} of 100 came`)
  await until('the other direction lost nothing', () => near.frames.length === 100)

  ends.links.heal()
  ends.links.set(0, 1, { duplicate: 1 })
  far.frames.length = 0
  for (const number of HUNDRED) near.socket.send(messages(number))
  near.socket.send(HELLO)
  await until('the handshake came', () => far.frames.at(-1)?.equals(HELLO) === true)
  t.strictSame(
    numbers(far),
    HUNDRED.flatMap((number) => [number, number]),
  )
})

t.test('a delay holds all back, a re-ordering only messages, and none of them overtakes a handshake', async (t) => {
  const ends = await Ends.of(t)
  const [near, far] = await ends.connect()
  ends.links.set(0, 1, { delay: 100 })
  const began = performance.now()
  near.socket.send(HELLO)
  near.socket.send(messages(1))
  await until('both came', () => far.frames.length === 2)
  t.ok(performance.now() - began >= 99)
  t.ok(far.frames[0]?.equals(HELLO))

  ends.links.set(0, 1, { delay: 0, jitter: 40, reorder: 0.5 })
  for (let round = 0; round < 10; round++) {
    far.frames.length = 0
    near.socket.send(HELLO)
    for (const number of HUNDRED) near.socket.send(messages(number))
    await until('all came', () => far.frames.length === 101)
    t.ok(far.frames[0]?.equals(HELLO), 'the handshake first')
    const order = numbers(far)
    t.notSame(order, HUNDRED)
    t.strictSame(
      order.toSorted((a, b) => a - b),
      HUNDRED,
    )
  }
})

t.test('a throttled link takes its time, and when it is healed all that was held back comes at once', async (t) => {
  const ends = await Ends.of(t)
  const [near, far] = await ends.connect()
  ends.links.set(0, 1, { bytesPerSecond: 100_000 })
  const began = performance.now()
  for (let count = 0; count < 2; count++) near.socket.send(bulk(20_000))
  await until('both came', () => far.frames.length === 2)
  const took = performance.now() - began
  t.ok(took >= 399, `${took} ms for 40 kB`)

  for (let count = 0; count < 4; count++) near.socket.send(bulk(100_000))
  await quiet()
  ends.links.heal()
  const healed = performance.now()
  await until('the others came', () => far.frames.length === 6)
  t.ok(performance.now() - healed < 500)
})

t.test('what is sent while a direction is cut vanishes, and the ends do not hear each other’s pings', async (t) => {
  const ends = await Ends.of(t)
  const [near, far] = await ends.connect()
  near.socket.ping('heard')
  await until('the ping came', () => far.pings.length === 1)
  ends.links.set(0, 1, { cut: true })
  near.socket.send(HELLO)
  near.socket.send(messages(1))
  near.socket.ping('lost')
  far.socket.send(messages(2))
  await until('the other direction works', () => numbers(near).length === 1)
  ends.links.heal()
  near.socket.send(messages(3))
  await until('it came', () => far.frames.length > 0)
  t.strictSame(numbers(far), [3])
  t.strictSame(far.pings.map(String), ['heard'])
})

t.test('while one direction is cut, nobody gets through anew', async (t) => {
  const ends = await Ends.of(t)
  for (const [from, to] of [
    [0, 1],
    [1, 0],
  ] as const) {
    // prettier-ignore
    ends.links.set(from, to, { cut: true })
    t.match(await ends.dial(), { closed: /^1006 / })
    ends.links.heal()
  }
  const [near] = await ends.connect()
  t.equal(near.closed, null)
})

t.test(
  'an end is told in the words of the other; one that is cut off hears nothing until it speaks again',
  async (t) => {
    const ends = await Ends.of(t)
    const [near, far] = await ends.connect()
    near.socket.send(messages(1))
    near.socket.close(4001, 'so be it')
    await until('it is told', () => far.closed !== null)
    t.equal(far.closed, '4001 so be it')
    t.strictSame(numbers(far), [1], 'after all that was sent before')

    const [killed, left] = await ends.connect()
    killed.socket.terminate()
    await until('it is told', () => left.closed !== null)
    t.equal(left.closed, '1006 ')

    const [gone, unaware] = await ends.connect()
    ends.links.set(undefined, undefined, { cut: true })
    gone.socket.terminate()
    await quiet()
    unaware.socket.send(messages(1))
    await quiet()
    t.equal(unaware.closed, null)
    ends.links.heal()
    await quiet()
    t.equal(unaware.closed, null)
    unaware.socket.send(messages(2))
    await until('it is told', () => unaware.closed !== null)
  },
)

t.test('who does not read stops who writes, and only so much is in between', async (t) => {
  const ends = await Ends.of(t)
  const [near, far] = await ends.connect()
  far.socket.pause()
  const frame = bulk(1 << 20)
  for (let count = 0; count < 64; count++) near.socket.send(frame)
  await quiet()
  const left = near.socket.bufferedAmount >> 20
  t.ok(left > 40, `${left} of 64 MiB are still at their source`)
  far.socket.resume()
  await until('all came', () => far.frames.length === 64)
  t.equal(near.socket.bufferedAmount, 0)
})

t.test('a client that comes through meets no faults, and a web page does not come through', async (t) => {
  const ends = await Ends.of(t)
  const [near, far] = await ends.connect()
  near.socket.send(CLIENT_HELLO)
  await until('it came', () => far.frames.length === 1)
  ends.links.set(undefined, undefined, { cut: true, drop: 1 })
  near.socket.send(messages(1))
  far.socket.send(messages(2))
  await until('both came', () => far.frames.length === 2 && near.frames.length === 1)
  ends.links.heal()
  t.match(await ends.dial({ origin: `http://${ends.entrance(0, 1)}` }), { closed: /^1006 / })
})

t.test('a server that is down is out of reach', async (t) => {
  const ends = await Ends.of(t)
  const nobody = new WebSocket(`ws://${ends.entrance(1, 0)}/`)
  const error = await new Promise<Error>((resolve) => nobody.once('error', resolve))
  t.match(error.message, /502/)
})
