/** What a server remembers of its peers, and how its membership is written down. */
import { Membership } from '@synod/paxos/internal/server/membership'
import { StorageError } from '@synod/paxos/internal/storage/storage'
import type { Formation, StoredRecord } from '@synod/paxos/internal/storage/storage'
import type { PeerHello } from '@synod/paxos/internal/transport/wire'
import t from 'tap'
import { ManualClock } from '../manual-clock.js'
import { A, hello } from './formation-world.js'

const owner = { service: 'counter', id: 0, count: 3 }

/** Server 0 of 3, over a directory that notes what is written. */
class Tested {
  /** What was written and what was told, in order. */
  readonly lines: string[] = []
  readonly written: StoredRecord[] = []
  readonly clock = new ManualClock()
  /** As the core knows them. */
  readonly lives = [0, 0, 0]
  readonly membership: Membership
  #failure: StorageError | null = null

  constructor(formation: Formation, repair = false) {
    const append = (what: string, records: readonly StoredRecord[] = []): Promise<void> => {
      if (this.#failure !== null) return Promise.reject(this.#failure)
      this.lines.push(what)
      this.written.push(...records)
      return Promise.resolve()
    }
    const storage = {
      batch: 7,
      form: (clusterId: string) => append(`form ${clusterId.slice(0, 1)}`),
      append: (records: readonly StoredRecord[]) =>
        append(`append ${records.map(({ type }) => type).join(', ')}`, records),
    }
    const note = (what: string) => (): void => {
      this.lines.push(what)
    }
    const host = {
      changed: note('changed'),
      takesPart: note('takes part'),
      repairing: note('repairing'),
      lifeOf: (server: number) => this.lives[server] ?? 0,
      failed: (error: unknown) => this.lines.push(`failed ${String((error as { code?: unknown }).code)}`),
    }
    const opened = { formation, clusterId: formation === 'empty' ? null : A }
    this.membership = new Membership(owner, storage, opened, this.clock, host, repair)
  }

  /** From now on every write fails. */
  fail(failure: StorageError): void {
    this.#failure = failure
  }

  /** What this server tells a peer of it. */
  remembers(peer: number): Pick<PeerHello, 'lifeSeen' | 'batchSeen'> {
    const { lifeSeen, batchSeen } = this.membership.hello(peer)
    return { lifeSeen, batchSeen }
  }
}

function from(peer: number, life: number, formation: Formation = 'formed'): PeerHello {
  return hello(peer, 0, { formation, clusterId: A, life })
}

t.test('a repair goes from an empty directory to a vote, each step after it is durable', async (t) => {
  const { membership, lines, lives, clock } = new Tested('empty', true)
  membership.start()
  t.match(membership.hello(1), { formation: 'empty', repair: true, clusterId: null, life: 0 })
  t.strictSame(membership.heard(1, from(1, 0)), { type: 'accept' })
  t.match(membership.hello(1), { formation: 'empty', clusterId: null }, 'it is not durable yet')
  await clock.settle()
  t.match(membership.hello(1), { formation: 'repairing', repair: true, clusterId: A })
  t.ok(membership.takesPart)
  t.ok(membership.repairing)
  t.notOk(membership.formed)
  t.strictSame(lines, ['form a', 'changed', 'repairing', 'takes part'])

  lives[0] = 4
  membership.repaired()
  t.match(membership.hello(1), { formation: 'formed', life: 4 })
  t.ok(membership.formed)
  t.notOk(membership.repairing)
  t.strictSame(lines.slice(4), ['changed'])
})

t.test('a directory that is under repair takes part at once, and its core knows that already', (t) => {
  const { membership, lines } = new Tested('repairing')
  membership.start()
  t.strictSame(lines, ['takes part'])
  t.match(membership.hello(2), { formation: 'repairing', repair: false, clusterId: A })
  t.end()
})

t.test('a server that cannot write down that it is repaired ends', async (t) => {
  const tested = new Tested('empty', true)
  tested.membership.start()
  tested.fail(new StorageError('DISK_FULL', 'the disk is full'))
  tested.membership.heard(1, from(1, 0))
  await tested.clock.settle()
  t.strictSame(tested.lines, ['failed DISK_FULL'])
  t.notOk(tested.membership.takesPart)
})

t.test('a server with nothing to be repaired from ends', (t) => {
  const { membership, lines } = new Tested('empty', true)
  membership.start()
  membership.heard(1, hello(1, 0, {}))
  membership.heard(2, hello(2, 0, {}))
  t.strictSame(lines, ['failed NOTHING_TO_REPAIR'])
  t.end()
})

t.test('batches are kept with the life of the connection that they came by', (t) => {
  const tested = new Tested('formed')
  const { membership, lives } = tested
  membership.noteBatch(from(1, 0), 900)
  t.strictSame(tested.remembers(1), { lifeSeen: 0, batchSeen: 900 })

  membership.noteBatch(from(1, 0, 'repairing'), 3)
  t.strictSame(tested.remembers(1), { lifeSeen: 0, batchSeen: 900 }, 'it has no votes yet')
  lives[1] = 2
  t.strictSame(tested.remembers(1), { lifeSeen: 2, batchSeen: 0 }, 'the core has heard of a repair')
  membership.noteBatch(from(1, 0), 901)
  t.strictSame(tested.remembers(1), { lifeSeen: 2, batchSeen: 0 }, 'a late frame of the life before says nothing')
  membership.noteBatch(from(1, 2), 17)
  t.strictSame(tested.remembers(1), { lifeSeen: 2, batchSeen: 17 })
  membership.noteBatch(from(1, 1), 950)
  membership.noteBatch(from(1, 2), 16)
  t.strictSame(tested.remembers(1), { lifeSeen: 2, batchSeen: 17 })
  membership.noteBatch(from(1, 3), 5)
  t.strictSame(tested.remembers(1), { lifeSeen: 3, batchSeen: 5 }, 'a repair that this server had no part in')
  t.ok(membership.outdated(from(1, 1)))
  t.notOk(membership.outdated(from(1, 2)))
  t.end()
})

t.test('what is written down of the peers is told again after a restart, life by life', (t) => {
  const { membership } = new Tested('formed')
  membership.noteBatch(from(1, 2), 17)
  membership.noteBatch(from(2, 0), 300)
  const record = membership.takeRecord(5_000)
  t.strictSame(record, { type: 'peers', batches: [0, 17, 300], lives: [0, 2, 0] })
  t.equal(membership.takeRecord(9_000), null, 'nothing new')

  const again = new Tested('formed')
  again.membership.restore({ type: 'peers', batches: [0, 500, 200], lives: [] }) // of an earlier release, or life
  if (record?.type === 'peers') again.membership.restore(record)
  t.strictSame([again.remembers(1), again.remembers(2)], [
    { lifeSeen: 2, batchSeen: 17 },
    { lifeSeen: 0, batchSeen: 300 },
  ]) // prettier-ignore
  again.lives[2] = 1
  t.strictSame(again.remembers(2), { lifeSeen: 1, batchSeen: 0 })
  t.equal(again.membership.takeRecord(9_000), null, 'what was read is not written again')
  t.end()
})

t.test('before a base record stands what the files that go may have held', (t) => {
  const { membership } = new Tested('formed')
  membership.noteBatch(from(2, 1), 9)
  const peers = { type: 'peers', batches: [0, 0, 9], lives: [0, 0, 1] } as const
  t.strictSame(membership.records(), [{ type: 'formed' }, peers])
  t.strictSame(membership.records(), [{ type: 'formed' }, peers], 'each time')
  t.strictSame(new Tested('repairing').membership.records(), [
    { type: 'formed' },
    { type: 'peers', batches: [0, 0, 0], lives: [0, 0, 0] },
  ])
  t.end()
})

t.test('a clean end writes down what is new of the peers, unless the disk is full', async (t) => {
  const tested = new Tested('formed')
  await tested.membership.writeLastRecord()
  t.strictSame(tested.lines, [])
  tested.membership.noteBatch(from(2, 0), 9)
  await tested.membership.writeLastRecord()
  t.strictSame(tested.written, [{ type: 'peers', batches: [0, 0, 9], lives: [0, 0, 0] }])
  tested.membership.noteBatch(from(2, 0), 10)
  tested.fail(new StorageError('DISK_FULL', 'the disk is full'))
  await tested.membership.writeLastRecord()
  tested.membership.noteBatch(from(2, 0), 11)
  tested.fail(new StorageError('DISK_FAILED', 'the disk failed'))
  await t.rejects(tested.membership.writeLastRecord(), { code: 'DISK_FAILED' })
})
