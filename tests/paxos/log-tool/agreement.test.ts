/**
 * What `verify` calls damaged is what a server refuses to start on, and nothing else: many logs, each damaged in some way.
 * To run a single one: SEED=7 node tests/.out/paxos/log-tool/agreement.test.js
 */
import t from 'tap'
import { LogSurvey } from '@synod/paxos/internal/log-tool/survey'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { RealDisk } from '@synod/paxos/internal/storage/real-disk'
import { readLog } from '@synod/paxos/internal/storage/recovery'
import { StorageError } from '@synod/paxos/internal/storage/storage'
import { accept, BALLOT, directoryOf, flipped, MadeFile, nextIs } from './log-files.js'

const SEEDS = 400

/** A log of one to four files, perhaps collected, perhaps with a file that was made for later. */
function someLog(prng: Prng): Map<string, Buffer> {
  const files: MadeFile[] = []
  const [from, count] = [1 + prng.below(2), 1 + prng.below(4)]
  let batch = prng.below(5)
  for (let number = from; number < from + count; number++) {
    const file = new MadeFile(number, batch)
    if (number === from) file.add({ type: 'formed' })
    for (let left = prng.below(4); left > 0; left--) {
      if (prng.chance(0.3)) file.add()
      else file.add(accept(number * 10 + left, 'x'.repeat(prng.below(700))), { type: 'promise', ballot: BALLOT })
    }
    const isLast = number === from + count - 1
    if (isLast && (from > 1 || prng.chance(0.3))) {
      const decided = { decidedBallot: BALLOT, decided: 6 }
      file.add({ type: 'base', firstFile: from, collected: 5, ballot: BALLOT, ...decided, lives: [] })
    }
    if (!isLast) file.add(accept(number * 10 + 5, 'y'), nextIs(number + 1))
    batch = file.batch
    files.push(file)
  }
  if (prng.chance(0.3)) files.push(new MadeFile(from + count, 0))
  return new Map(files.map((file) => [file.name, file.bytes(prng.below(3) * 512)]))
}

/** Does something to one of the files. */
function harm(files: Map<string, Buffer>, prng: Prng): string {
  const name = prng.pick([...files.keys()])
  const bytes = files.get(name) ?? Buffer.alloc(0)
  const at = prng.below(bytes.length)
  const other = prng.below(Math.floor(bytes.length / 512)) * 512
  switch (prng.below(7)) {
    case 0:
      files.delete(name)
      return `${name} is removed`
    case 1:
      files.set(name, bytes.subarray(0, at))
      return `${name} is cut at ${at}`
    case 2:
      files.set(name, Buffer.from(bytes).fill(0, at))
      return `${name} is zeros from ${at} on`
    case 3:
      files.set(name, Buffer.from(bytes).fill(0, other, other + 512))
      return `${name} has a sector of zeros at ${other}`
    case 4: {
      const moved = Buffer.from(bytes)
      moved.copyWithin(prng.below(Math.floor(bytes.length / 512)) * 512, other, other + 512)
      files.set(name, moved)
      return `the sector ${other} of ${name} was written to another place too`
    }
    case 5:
      return 'nothing'
    default:
      files.set(name, flipped(bytes, at, prng.below(8)))
      return `a bit of byte ${at} of ${name} is flipped`
  }
}

async function refusal(directory: string): Promise<string> {
  try {
    await readLog(new RealDisk(directory), null, () => Promise.resolve())
    return ''
  } catch (error) {
    if (error instanceof StorageError) return error.code
    throw error
  }
}

t.test('verify and a start agree', async (t) => {
  const only = process.env['SEED']
  const told = new Map<string, number>()
  const seeds = only === undefined ? Array.from({ length: SEEDS }, (_, seed) => seed) : [Number(only)]
  for (const seed of seeds) {
    const prng = new Prng(seed)
    const files = someLog(prng)
    const done = harm(files, prng)
    const directory = directoryOf(t, Object.fromEntries(files))
    const code = await refusal(directory)
    const { damages, damageCount, files: seen } = await LogSurvey.of(new RealDisk(directory))
    const codes = damages.map((damage) => damage.code)
    const kind = code === '' ? `none, ${seen.length === 0 ? 'no log' : 'a log'}` : code
    told.set(kind, (told.get(kind) ?? 0) + 1)
    const agree = code === '' ? damageCount === 0 : codes.includes(code as (typeof codes)[number])
    if (!agree) t.fail(`SEED=${seed}: ${done}; a start says "${code}", verify "${codes.join()}"`)
  }
  t.comment(JSON.stringify([...told]))
  if (only === undefined) t.ok(['none, a log', 'CORRUPT', 'MISSING_FILE'].every((kind) => (told.get(kind) ?? 0) > 20))
})
