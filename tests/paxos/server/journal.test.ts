/** The journal against a storage whose writes end when the test says so. */
import type { Clock } from '@synod/paxos/internal/clock'
import { Journal } from '@synod/paxos/internal/server/journal'
import type { Envelope } from '@synod/paxos/internal/protocol/ready'
import type { Storage, StoredRecord } from '@synod/paxos/internal/storage/storage'
import { StorageError } from '@synod/paxos/internal/storage/storage'
import t from 'tap'

/** An append that is under way. */
interface Append {
  readonly records: readonly StoredRecord[]
  resolve(): void
  reject(error: unknown): void
}

/** A journal, what it asks of its storage, and what it lets go. Records and messages are told apart by a number. */
function journal() {
  const appends: Append[] = []
  const events: string[] = []
  const retries: (() => void)[] = []
  const storage: Pick<Storage, 'append'> = {
    append: (records) =>
      new Promise((resolve, reject) => {
        appends.push({ records, resolve, reject })
      }),
  }
  const clock: Pick<Clock, 'after'> = {
    after: (_ms, call) => {
      retries.push(call)
      return () => retries.splice(retries.indexOf(call), 1)
    },
  }
  const tested = new Journal(storage as Storage, clock as Clock, {
    durable: (released) => events.push(`leave ${numbers(released)}`),
    full: (isFull) => events.push(isFull ? 'full' : 'room'),
    failed: (error) => events.push(`failed: ${(error as Error).message}`),
  })
  return { journal: tested, appends, events, retries }
}

const record = (decided: number): StoredRecord => ({
  type: 'decide',
  ballot: { round: 1, server: 0, start: 0 },
  decided,
})
const envelope = (attempt: number): Envelope => ({ to: [1], message: { type: 'prescout', attempt } })

function numbers(items: readonly (Envelope | StoredRecord)[]): string {
  return items
    .map((item) =>
      'message' in item ? (item.message as { attempt: number }).attempt : (item as { decided: number }).decided,
    )
    .join(' ')
}

/** Lets what was promised happen. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

t.test('with nothing on its way to the disk, what needs no record of its own leaves at once', (t) => {
  const { journal: tested, appends } = journal()
  t.equal(numbers(tested.add([], [envelope(1), envelope(2)])), '1 2')
  tested.write()
  t.equal(appends.length, 0)
  t.end()
})

t.test('a vote leaves after its record is durable', async (t) => {
  const { journal: tested, appends, events } = journal()
  t.equal(numbers(tested.add([record(1)], [envelope(1)])), '')
  tested.write()
  await settle()
  t.strictSame(events, [])
  appends[0]?.resolve()
  await settle()
  t.strictSame(events, ['leave 1'])
})

t.test('a second answer without a record waits for the first one, which is being written', async (t) => {
  const { journal: tested, appends, events } = journal()
  tested.add([record(1)], [envelope(1)])
  tested.write()
  t.equal(numbers(tested.add([], [envelope(2)])), '', 'it may not leave')
  tested.write()
  t.equal(appends.length, 1)
  appends[0]?.resolve()
  await settle()
  t.strictSame(events, ['leave 1 2'])
})

t.test('what comes during a write forms the next one, and leaves in order', async (t) => {
  const { journal: tested, appends, events } = journal()
  tested.add([record(1)], [envelope(1)])
  tested.write()
  tested.add([record(2)], [envelope(2)])
  tested.write()
  tested.add([record(3)], [])
  tested.add([], [envelope(3)])
  tested.write()
  t.equal(appends.length, 1, 'one append at a time')
  appends[0]?.resolve()
  await settle()
  t.strictSame(events, ['leave 1'])
  t.equal(numbers(appends[1]?.records ?? []), '2 3', 'both in one write')
  appends[1]?.resolve()
  await settle()
  t.strictSame(events, ['leave 1', 'leave 2 3'])
})

t.test('what a full disk refused is tried again, before anything that came later, until there is room', async (t) => {
  const { journal: tested, appends, events, retries } = journal()
  tested.add([record(1)], [envelope(1)])
  tested.write()
  appends[0]?.reject(new StorageError('DISK_FULL', 'no room'))
  await settle()
  t.equal(tested.full, true)
  tested.add([record(2)], [envelope(2)])
  tested.write()
  t.equal(appends.length, 1, 'nothing overtakes')
  retries.shift()?.()
  appends[1]?.reject(new StorageError('DISK_FULL', 'no room'))
  await settle()
  retries.shift()?.()
  t.equal(numbers(appends[2]?.records ?? []), '1')
  appends[2]?.resolve()
  await settle()
  t.equal(tested.full, false)
  t.strictSame(events, ['full', 'room', 'leave 1'])
  t.equal(numbers(appends[3]?.records ?? []), '2')
})

t.test('after a failed write nothing leaves and nothing is written', async (t) => {
  const { journal: tested, appends, events } = journal()
  tested.add([record(1)], [envelope(1)])
  tested.write()
  appends[0]?.reject(new StorageError('DISK_FAILED', 'the sync failed'))
  await settle()
  t.strictSame(events, ['failed: the sync failed'])
  tested.add([record(2)], [envelope(2)])
  tested.write()
  t.equal(appends.length, 1)
})

t.test('a journal that was stopped lets nothing go, also when its last write ends well', async (t) => {
  const { journal: tested, appends, events } = journal()
  tested.add([record(1)], [envelope(1)])
  tested.write()
  tested.stop()
  appends[0]?.resolve()
  await settle()
  t.strictSame(events, [])
})
