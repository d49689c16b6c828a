/** One log file, batch by batch: what is whole, what is damaged and what that hit, and what may be a torn write. */
import t from 'tap'
import { encodeHeader } from '@synod/paxos/internal/storage/file-header'
import type { Damage } from '@synod/paxos/internal/log-tool/damage'
import { showDamage } from '@synod/paxos/internal/log-tool/damage'
import type { FoundBatch, Walked } from '@synod/paxos/internal/log-tool/walk'
import { walk } from '@synod/paxos/internal/log-tool/walk'
import { accept, BALLOT, flipped, MadeFile, nextIs } from './log-files.js'

interface Seen {
  readonly batches: FoundBatch[]
  readonly damages: Damage[]
  readonly walked: Walked
}

function seen({ name, header }: MadeFile, bytes: Buffer): Seen {
  const steps = walk(name, bytes, header)
  const found: (FoundBatch | Damage)[] = []
  for (;;) {
    const step = steps.next()
    if (step.done === true) {
      const batches = found.filter((each) => each.type === 'batch')
      return { batches, damages: found.filter((each) => each.type === 'damage'), walked: step.value }
    }
    found.push(step.value)
  }
}

/** A file with a promise, a run of three slots, a seal, and two records in one batch. */
function sample(): MadeFile {
  return new MadeFile(1)
    .add({ type: 'promise', ballot: BALLOT })
    .add(accept(5, 'a', 'b', 'c'))
    .add()
    .add({ type: 'decide', ballot: BALLOT, decided: 8 }, accept(8, 'd'))
}

t.test('a whole file: its batches, their records and where all bytes are', (t) => {
  const file = sample()
  const bytes = file.bytes(2048)
  const { batches, damages, walked } = seen(file, bytes)
  t.strictSame(damages, [])
  t.match(walked, { end: file.end, used: file.end, tail: null, first: 1, last: 4, next: null })
  t.strictSame(
    batches.map(({ number, count, records }) => [number, count, records.map(({ record }) => record.type).join()]),
    [
      [1, 1, 'promise'],
      [2, 1, 'accept'],
      [3, 0, ''],
      [4, 2, 'decide,accept'],
    ],
  )
  t.strictSame(
    batches.flatMap(({ records }) => records.map(({ at, size }) => [at, at + size])),
    file.records.map(({ at, end }) => [at, end]),
  )
  for (const { size, header, padding, records } of batches) {
    t.equal(header + padding + records.reduce((sum, record) => sum + record.size, 0), size)
  }
  t.equal(
    batches.reduce((sum, { size }) => sum + size, 0),
    file.end - 512,
  )
  t.end()
})

t.test('the record that names the next file ends it, whatever stands behind', (t) => {
  const file = sample().add(accept(9, 'e'), nextIs(2))
  const { walked, damages } = seen(file, Buffer.concat([file.bytes(0), Buffer.alloc(512, 7)]))
  t.match(walked, { end: file.end, tail: null, next: { file: 2 } })
  t.strictSame(damages, [])
  t.end()
})

t.test(
  'each bit that is flipped before the last batch is damage, told by what it hit; what is behind it is read',
  (t) => {
    const file = sample()
    const whole = file.bytes()
    const last = file.records.at(-1)
    if (last === undefined) throw new Error('no records')
    const wrong: string[] = []
    for (let at = 512; at < last.batchAt; at++) {
      const { damages, walked, batches } = seen(file, flipped(whole, at, at % 8))
      const hit = file.records.find((record) => at >= record.at && at < record.end)
      const told = damages.map(showDamage).join()
      const expected =
        hit !== undefined
          ? new RegExp(
              `^${file.name}, byte ${hit.at}: record 1 of 1 of batch ${hit.batch} .* does not fit its checksum$`,
            )
          : isHeader(file, at)
            ? /^00000001.paxos, byte \d+: the header of (the first batch|the batch behind batch \d) is damaged$/
            : /^$/ // padding
      if (!expected.test(told) || walked.tail !== null || batches.at(-1)?.number !== 4) wrong.push(`${at}: ${told}`)
    }
    t.strictSame(wrong, [])
    t.end()
  },
)

function isHeader(file: MadeFile, at: number): boolean {
  const seal = 1536
  return [...file.records.map(({ batchAt }) => batchAt), seal].some((from) => at >= from && at < from + 28)
}

t.test('a damaged record says its kind and slots as far as they can be read', (t) => {
  const file = sample()
  const [promise, run] = file.records
  if (promise === undefined || run === undefined) throw new Error('no records')
  const ofRun = seen(file, flipped(file.bytes(), run.end - 1)).damages[0]
  t.match(ofRun, { record: { kind: 'accept', slots: [5, 7] } })
  t.equal(
    ofRun === undefined ? '' : showDamage(ofRun),
    `00000001.paxos, byte ${run.at}: record 1 of 1 of batch 2 (accept, slots 5-7) does not fit its checksum`,
  )
  // The byte that says the kind: of a number that no kind has.
  t.match(seen(file, flipped(file.bytes(), promise.at + 9, 6)).damages[0], { record: { kind: null, slots: null } })
  // The length, far too large: what it belongs to cannot be read.
  t.match(seen(file, flipped(file.bytes(), run.at + 7, 6)).damages[0], { offset: run.at, record: { index: 1 } })
  t.end()
})

t.test('what is broken at the end, with nothing behind it, may be a torn write: every byte of the last batch', (t) => {
  const file = sample()
  const whole = file.bytes()
  const [, , decide] = file.records
  const last = file.records.at(-1)
  if (decide === undefined || last === undefined) throw new Error('no records')
  const wrong: number[] = []
  for (let at = decide.batchAt; at < last.end; at++) {
    const { damages, walked, batches } = seen(file, Buffer.from(whole).fill(0, at))
    const isTorn = damages.length === 0 && batches.length === 3 && walked.end === decide.batchAt && walked.last === 3
    if (!isTorn || (walked.tail === null) !== (at === decide.batchAt)) wrong.push(at)
  }
  t.strictSame(wrong, [])
  t.end()
})

t.test('a file that is cut off within a batch, and within its header', (t) => {
  const file = sample()
  const whole = file.bytes(0)
  const [, run] = file.records
  if (run === undefined) throw new Error('no records')
  for (const end of [run.at + 3, run.at + 8, run.batchAt + 10, run.batchAt + 28]) {
    const { damages, walked } = seen(file, whole.subarray(0, end))
    t.strictSame([damages.length, walked.end, walked.tail === null], [0, run.batchAt, false], `at ${end}`)
  }
  t.end()
})

t.test('a batch that fits its place, but not to the batch before, is damage also at the end', (t) => {
  const other = new MadeFile(1).add({ type: 'formed' }).add(accept(1, 'x'))
  const file = new MadeFile(1).add({ type: 'promise', ballot: BALLOT })
  const bytes = Buffer.concat([file.bytes(0), other.bytes().subarray(file.end)])
  const { damages } = seen(file, bytes)
  t.match(damages, [{ offset: 1024, batch: 2, what: /^batch 2 does not belong behind batch 1/ }])
  const old = new MadeFile(1, 0).add({ type: 'formed' })
  const repeated = Buffer.concat([new MadeFile(1, 5).add({ type: 'formed' }).bytes(0), old.bytes(0).subarray(512)])
  t.match(seen(file, repeated).walked.last, 6, 'what was written at another place is no batch there')
  t.end()
})

t.test('several damages are all found', (t) => {
  const file = new MadeFile(1)
  for (let slot = 1; slot <= 6; slot++) file.add(accept(slot, 'x'))
  let bytes = file.bytes()
  for (const at of [1, 3, 4].map((index) => file.records[index]?.at ?? 0)) bytes = flipped(bytes, at)
  const { damages, batches } = seen(file, bytes)
  t.strictSame(
    damages.map(({ batch }) => batch),
    [2, 4, 5],
  )
  t.equal(batches.length, 6, 'the batches with whole headers')
  t.end()
})

t.test('a file without batches', (t) => {
  const file = new MadeFile(3)
  t.match(seen(file, file.bytes()).walked, { end: 512, tail: null, first: 0, last: 0 })
  t.match(seen(file, Buffer.concat([encodeHeader(file.header), Buffer.alloc(100, 1)])).walked, { used: 612 })
  t.end()
})
