/** Reads without the log, with real servers on real sockets and directories. */
import { connect, defineService, Refusal, serve } from '@synod/paxos'
import type { Client, RunningServer } from '@synod/paxos'
import { packValue, unpackValue } from '@synod/paxos/internal/codec/values'
import { readRejection } from '@synod/paxos/internal/transport/read-frames'
import t from 'tap'
import { z } from 'zod'
import { freeAddresses, QUICK, RawClient, temporaryDirectory, until } from './support.js'

t.setTimeout(120_000)

const op = z.object({ do: z.enum(['add', 'look', 'refuse', 'emit', 'fail', 'huge']) })
type Op = z.output<typeof op>

/** A counter; `look` tells the count, who asks, and the slot. The rest are reads that should not be written so. */
class Tally {
  #count = 0

  execute(
    slot: number,
    { clientId, op }: { readonly clientId: string; readonly op: Op },
    emit: (event: string) => void,
  ): { readonly count: number; readonly clientId: string; readonly slot: number } | string {
    if (op.do === 'add') this.#count++
    else if (op.do === 'refuse') throw new Refusal('NO', 'not today', { slot })
    else if (op.do === 'emit') emit('looked at')
    else if (op.do === 'fail') throw new TypeError('a bug')
    else if (op.do === 'huge') return 'x'.repeat(9 << 20)
    return { count: this.#count, clientId, slot }
  }

  *snapshot(): Generator {
    yield this.#count
  }

  restore([count]: readonly number[]): void {
    this.#count = count ?? 0
  }
}

const tally = defineService({
  name: 'tally',
  op,
  state: () => new Tally(),
  readOnly: (asked) => asked.do !== 'add',
})

type TallyClient = Client<Op, ReturnType<Tally['execute']>, string>

async function cluster(test: { teardown(call: () => void | Promise<void>): void }, count = 3) {
  const directory = temporaryDirectory(test)
  const addresses = await freeAddresses(count)
  const running = new Map<number, RunningServer>()
  const clients: TallyClient[] = []
  const warnings: string[] = []
  const start = async (id: number): Promise<void> => {
    const onWarning = (line: string): void => void warnings.push(line)
    const options = { id, peers: addresses, dataDir: `${directory}/${id}`, timing: QUICK, onWarning }
    running.set(id, await serve(tally, options))
  }
  const stop = async (id: number): Promise<void> => {
    await running.get(id)?.close()
    running.delete(id)
  }
  /** A client of these servers only. */
  const client = (ids: readonly number[], timeout = 20_000): TallyClient => {
    const made = connect(tally, { servers: ids.map((id) => addresses[id] ?? ''), discover: false, timeout })
    clients.push(made)
    return made
  }
  const raw = async (id: number): Promise<RawClient> => {
    const made = new RawClient(addresses[id] ?? '')
    test.teardown(() => made.end())
    return made.hello('tally')
  }
  test.teardown(async () => {
    await Promise.all(clients.map((each) => each.close()))
    await Promise.all([...running.keys()].map(stop))
  })
  await Promise.all(addresses.map((_, id) => start(id)))
  await Promise.all([...running.values()].map(({ serving }) => serving))
  const applied = (id: number): number => running.get(id)?.status().applied ?? -1
  return { start, stop, client, raw, warnings, applied, running }
}

t.test('every server reads what was acknowledged before, whoever wrote it, and no read is in the log', async (t) => {
  const { client, applied } = await cluster(t)
  const writers = [0, 1, 2].map((id) => client([id]))
  const readers = [0, 1, 2].map((id) => client([id]))
  for (let round = 1; round <= 30; round++) {
    await writers[round % 3]?.submit({ do: 'add' })
    const seen = await Promise.all(readers.map((reader) => reader.submit({ do: 'look' })))
    for (const read of seen) t.match(read, { count: round, clientId: '', slot: Number })
  }
  const slots = 3 + 30 // the writers' sessions, and what they wrote
  await until('all are level', () => [0, 1, 2].every((id) => applied(id) >= slots))
  t.strictSame([0, 1, 2].map(applied), [slots, slots, slots])
})

t.test('a refusal, a bug or an event of a read is told to its client, and the server goes on', async (t) => {
  const { client, warnings, running } = await cluster(t, 1)
  const one = client([0])
  await one.submit({ do: 'add' })
  const ways: ((what: Op) => Promise<unknown>)[] = [(what) => one.submit(what), (what) => one.readStale(what)]
  for (const read of ways) {
    await t.rejects(read({ do: 'refuse' }), { name: 'Refusal', code: 'NO', data: { slot: 2 } })
    await t.rejects(read({ do: 'fail' }), { code: 'READ_FAILED', message: /"tally" failed at a read: a bug/, mayHaveHappened: false }) // prettier-ignore
    await t.rejects(read({ do: 'emit' }), { code: 'READ_FAILED', message: /must not emit/ })
    await t.rejects(read({ do: 'huge' }), { name: 'Refusal', code: 'RESULT_TOO_LARGE' })
  }
  t.match(await one.submit({ do: 'look' }), { count: 1 })
  t.match(await one.submit({ do: 'add' }), { count: 2 })
  t.match(warnings, [/^\[0\] the service "tally" failed at a read: a bug/])
  t.equal(running.get(0)?.status().oldestEvent, 1, 'there are no events')
})

t.test('a server takes its own service’s word for what only reads, not the client’s', async (t) => {
  const { raw, applied } = await cluster(t, 1)
  const liar = await raw(0)
  const before = applied(0)
  for (const [at, stale] of [false, true].entries()) {
    const [write, nonsense, look] = [packValue({ do: 'add' }), packValue({ do: 'what' }), packValue({ do: 'look' })]
    const frames = liar.frames.length
    liar.send({ type: 'read', stale, first: 1 + at * 3, ops: [write, nonsense, look] })
    const answers = await until('all are answered', () => {
      const found = liar.frames.slice(frames).flatMap((frame) => (frame.type === 'answers' ? frame.answers : []))
      return found.length === 3 ? found : null
    })
    t.strictSame(
      answers.map(({ number, status }) => [number - at * 3, status]).sort(),
      [[1, 'rejected'], [2, 'rejected'], [3, 'ok']], // prettier-ignore
    )
    for (const { status, value } of answers) {
      if (status === 'rejected') t.equal(readRejection(value).code, 'BAD_OPERATION')
      else t.match(unpackValue(value), { count: 0 })
    }
  }
  t.equal(applied(0), before)
})

t.test('a read that is submitted as a command goes through the log', async (t) => {
  const { raw, applied } = await cluster(t, 1)
  const old = await raw(0)
  const clientId = await old.session('0123456789abcdef0123456789abcdef')
  const before = applied(0)
  const { status, value } = await old.submit(clientId, 1, packValue({ do: 'look' }))
  t.equal(status, 'ok')
  t.match(unpackValue(value), { count: 0, clientId, slot: before + 1 })
  t.equal(applied(0), before + 1)
})

t.test('without a majority a read has no answer, and a stale one has, with its slot', async (t) => {
  const { start, stop, client, applied } = await cluster(t)
  const writer = client([0, 1, 2])
  for (let count = 0; count < 5; count++) await writer.submit({ do: 'add' })
  await until('server 2 has it', () => applied(2) === 6)
  await stop(0)
  await stop(1)
  const cut = client([2], 3_000)
  const fresh = cut.submit({ do: 'look' }).catch((error: unknown) => error)
  const stale = await cut.readStale({ do: 'look' })
  t.match(stale, { slot: 6, value: { count: 5, slot: 6, clientId: '' } })
  t.match((await cut.status())[0]?.status?.reads, { answered: 1, stale: 1, waiting: 1 })
  t.match(await fresh, { name: 'ClientError', mayHaveHappened: false, code: /TIMEOUT|UNAVAILABLE/ })
  const patient = client([2], 60_000).submit({ do: 'look' })
  await start(0)
  t.match(await patient, { count: 5 }, 'it is answered when there is a majority again')
})
