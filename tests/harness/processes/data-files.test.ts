/** Damage to files of a data directory: which file is meant by which name. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { corrupt, newestSnapshot, truncate } from '@synod/harness/internal/processes/data-files'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import t from 'tap'

const FILES = [
  '00000002.paxos',
  '00000003.paxos',
  '00000003.paxos.damaged',
  'snapshot-900.paxos',
  'snapshot-1000.paxos',
  'snapshot-2000.paxos.part',
]

function directoryOf(t: { teardown(call: () => void): void }, names: readonly string[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'synod-files-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  for (const name of names) writeFileSync(join(directory, name), 'x'.repeat(100))
  return directory
}

/** The files that are not as they were. */
function changed(directory: string): string[] {
  return FILES.filter((name) => readFileSync(join(directory, name), 'utf8') !== 'x'.repeat(100))
}

for (const [name, wanted] of [
  ['first', '00000002.paxos'],
  ['last', '00000003.paxos'],
  [undefined, '00000003.paxos'],
  ['snapshot', 'snapshot-1000.paxos'],
  ['snapshot-900.paxos', 'snapshot-900.paxos'],
] as const) {
  t.test(`by the name of ${name ?? 'nothing'} ${wanted} is damaged, and nothing else`, async (t) => {
    const directory = directoryOf(t, FILES)
    t.equal(await corrupt(directory, { file: name, tail: 10 }, new Prng(1)), null)
    t.strictSame(changed(directory), [wanted])
    t.equal(await truncate(directory, name, 30), null)
    t.equal(readFileSync(join(directory, wanted)).length, 70)
  })
}

t.test('the newest snapshot is that of the highest slot, and none that is on its way', (t) => {
  t.equal(newestSnapshot(FILES), 'snapshot-1000.paxos')
  t.equal(newestSnapshot(['00000001.paxos']), undefined)
  t.end()
})

t.test('what is not there is told', async (t) => {
  const prng = new Prng(1)
  const log = directoryOf(t, ['00000001.paxos'])
  t.equal(await corrupt(log, { file: 'snapshot' }, prng), `there is no snapshot in ${log}`)
  t.equal(await corrupt(log, { file: 'a' }, prng), `there is no file a in ${log}`)
  const empty = directoryOf(t, [])
  t.equal(await corrupt(empty, {}, prng), `there is no log in ${empty}`)
  t.equal(await corrupt(join(empty, 'nowhere'), { file: 'snapshot' }, prng), `there is no snapshot in ${empty}/nowhere`)
})
