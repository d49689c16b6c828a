/** What the server's command says while one waits, on a clock that is turned by hand. */
import { Narrator } from '@synod/paxos/internal/server/narrator'
import type { ServerStatus } from '@synod/paxos/internal/transport/wire'
import t from 'tap'
import { statusOf } from '../../support/status.js'
import { ManualClock } from '../manual-clock.js'

/** A promise that a test resolves. */
function event(): { readonly promise: Promise<void>; happen(): void } {
  let happen = (): void => undefined
  const promise = new Promise<void>((resolve) => (happen = resolve))
  return { promise, happen }
}

/** A server of five, and what is said of it. */
function told(first: Partial<ServerStatus> = {}) {
  const clock = new ManualClock()
  const lines: string[] = []
  const narrator = new Narrator(clock, (line) => lines.push(line))
  const [serving, repaired] = [event(), event()]
  let status = statusOf({ id: 1, connected: [0, 2, 3, 4], ...first })
  const missing: number[] = []
  const server = {
    count: 5,
    missing,
    serving: serving.promise,
    repaired: repaired.promise,
    status: () => status,
  }
  const stands = async (fields: Partial<ServerStatus>): Promise<void> => {
    status = { ...status, ...fields }
    await clock.pass(1_000)
  }
  return { clock, lines, narrator, server, missing, serving, repaired, stands }
}

const AT = '127.0.0.1:7000/status'

t.test('a start that takes long says how far it is', async (t) => {
  const { clock, lines, narrator } = told()
  const read = event()
  const starting = { progress: 0, running: read.promise.then(() => 'a server') }
  const started = narrator.start(starting)
  await clock.pass(1_900)
  t.strictSame(lines, [])
  starting.progress = 0.379
  await clock.pass(2_000)
  starting.progress = 1
  await clock.pass(2_000)
  t.strictSame(lines, ['starts: 37 % of its directory is read', 'starts: 100 % of its directory is read'])
  read.happen()
  t.equal(await started, 'a server')
  await clock.pass(10_000)
  t.equal(lines.length, 2)
})

t.test('a start that fails is not told of any more', async (t) => {
  const { clock, lines, narrator } = told()
  await t.rejects(narrator.start({ progress: 0, running: Promise.reject(new Error('no')) }), { message: 'no' })
  await clock.pass(10_000)
  t.strictSame(lines, [])
})

t.test('a server says once for whom it waits, and once that it serves', async (t) => {
  const { clock, lines, narrator, server, missing, serving } = told({ role: 'forming' })
  missing.push(0, 4)
  narrator.run(server, AT)
  await clock.pass(20_000)
  t.strictSame(lines, ['still waits for servers 0 and 4; -vv tells why'])
  serving.happen()
  await clock.pass(20_000)
  t.strictSame(lines.slice(1), [`serves; see http://${AT}`])
})

t.test('one that serves soon says nothing else', async (t) => {
  const { clock, lines, narrator, server, missing, serving } = told()
  missing.push(0)
  narrator.run(server, AT)
  serving.happen()
  await clock.pass(20_000)
  t.strictSame(lines, [`serves; see http://${AT}`])
})

t.test('a repair is told of, each stage once, until it is over', async (t) => {
  const { clock, lines, narrator, server, serving, repaired, stands } = told({ role: 'repairing', connected: [0, 4] })
  narrator.run(server, AT)
  await clock.pass(3_000)
  serving.happen()
  await stands({ connected: [0, 2, 4] })
  await stands({ fetching: { from: 4, received: 0, bytes: 0 } })
  await stands({ fetching: { from: 4, received: 29, bytes: 100 } })
  await stands({ fetching: { from: 4, received: 21, bytes: 100 } })
  await stands({ fetching: { from: 4, received: 100, bytes: 100 } })
  await stands({ fetching: null })
  await clock.pass(3_000)
  t.strictSame(lines, [
    'is being repaired: it needs 3 of the others, and waits for servers 2 and 3',
    'is being repaired: it asks the others for what it has lost',
    'is being repaired: 0 % of a snapshot has come from server 4',
    'is being repaired: 20 % of a snapshot has come from server 4',
    'is being repaired: 100 % of a snapshot has come from server 4',
    'is being repaired: it asks the others for what it has lost',
  ])
  await stands({ role: 'follower', life: 3 })
  repaired.happen()
  await clock.pass(10_000)
  t.strictSame(lines.slice(6), ['is repaired, and votes again (life 3)', `serves; see http://${AT}`])
})

t.test('nothing is said after the end', async (t) => {
  const { clock, lines, narrator, server, missing, serving, stands } = told()
  missing.push(0)
  narrator.run(server, AT)
  narrator.stop()
  serving.happen()
  await stands({ role: 'repairing' })
  await clock.pass(20_000)
  t.strictSame(lines, [])
})
