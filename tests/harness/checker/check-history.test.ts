/** `harness check-history`: what it prints, and its exit codes. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeHistory } from '@synod/harness/internal/history/jsonl'
import t from 'tap'
import { run } from '../../support/command.js'
import type { Outcome } from '../../support/command.js'
import { hardStory, Story } from './story.js'

t.setTimeout(120_000)

const directory = await mkdtemp(join(tmpdir(), 'check-history-'))
t.teardown(() => rm(directory, { recursive: true }))

const HARNESS = fileURLToPath(import.meta.resolve('@synod/harness/internal/bin/harness'))

/** Judges the text as a file. */
async function judge(text: string, ...flags: readonly string[]): Promise<Outcome> {
  const file = join(directory, 'history.jsonl')
  await writeFile(file, text)
  const { code, stdout, stderr } = await run(HARNESS, ['check-history', file, ...flags])
  return { code, stdout: stdout.replaceAll(file, 'FILE'), stderr: stderr.replaceAll(file, 'FILE') }
}

const right = new Story().did('A', 'write', 'x', 1).did('B', 'read', 'x', undefined, 1).did('A', 'delete', 'y')

await t.test('0: a linearizable history, in a line with its operations, keys and time', async (t) => {
  const { code, stdout, stderr } = await judge(writeHistory(right.events))
  t.strictSame({ code, stderr }, { code: 0, stderr: '' })
  t.match(stdout, /^FILE: linearizable: 3 operations, 2 keys, \d+\.\d\d s\n$/)
})

await t.test('1: the smallest prefix that is not linearizable, why, and its lines of that key', async (t) => {
  const story = new Story()
  for (let number = 0; number < 10; number++) story.did('A', 'write', 'x', number).did('B', 'write', 'y', number)
  story.did('C', 'read', 'x', undefined, 4).did('A', 'write', 'x', 4)
  const { code, stdout, stderr } = await judge(writeHistory(story.events))
  t.strictSame({ code, stderr }, { code: 1, stderr: '' })
  const [first, ...lines] = stdout.split('\n')
  t.match(first, /^FILE: not linearizable: 22 operations, 2 keys, /)
  t.strictSame(lines.slice(0, 4), [
    `  process C's read of "x" found 4; it can only have found 9`,
    '  the smallest prefix that is not linearizable: the first 42 of 44 events',
    '  key "x", from 36 to 41 ms:',
    '  … 10 earlier lines',
  ])
  t.strictSame(lines.slice(-3), [
    '  line 41: {"process":"C","type":"invoke","f":"read","key":"x","time":40}',
    '  line 42: {"process":"C","type":"ok","f":"read","value":4,"time":41}',
    '',
  ])
})

await t.test('the lines are those of the file, also where they are in another order than the times', async (t) => {
  const events = new Story().did('A', 'write', 'x', 1).did('B', 'read', 'x', undefined, 2).events
  const { code, stdout } = await judge(`\n${writeHistory(events.toReversed())}`)
  t.equal(code, 1)
  t.match(
    stdout,
    '  line 3: {"process":"B","type":"invoke","f":"read","key":"x","time":2}\n  line 2: {"process":"B","type":"ok"',
  )
})

await t.test('2: a malformed file, with the line and the field', async (t) => {
  const { code, stdout, stderr } = await judge('{"process":1,"type":"invoke","f":"read","time":"now"}')
  t.strictSame({ code, stdout }, { code: 2, stdout: '' })
  t.match(stderr, /^harness: FILE: line 1: time: [^\n]+\n$/)
})

await t.test('2: a file that is not there, and a model or a timeout that is none', async (t) => {
  for (const args of [['missing.jsonl'], ['x', '--model', 'queue'], ['x', '--timeout', '0']]) {
    const { code, stdout, stderr } = await run(HARNESS, ['check-history', ...args])
    t.strictSame({ code, stdout }, { code: 2, stdout: '' }, args.join(' '))
    t.match(stderr, /^harness: [^\n]+\n$/, args.join(' '))
  }
})

await t.test('3: what cannot be decided in time', async (t) => {
  const { code, stdout, stderr } = await judge(writeHistory(hardStory().events), '--timeout', '0.2')
  t.strictSame({ code, stderr }, { code: 3, stderr: '' })
  t.match(stdout, /^FILE: unknown: 42 operations, 41 keys, .*\n {2}not decided within 0\.2 s: all keys\n$/)
})

await t.test('- is standard input', async (t) => {
  const { code, stdout } = await run(HARNESS, ['check-history', '-'], { input: writeHistory(right.events) })
  t.equal(code, 0)
  t.match(stdout, /^standard input: linearizable: 3 operations/)
})

await t.test('the model says what the operations are of', async (t) => {
  const chat = new Story().did('A', 'append', 'hall', 'hi').did('B', 'read', 'hall', undefined, ['hi'])
  t.equal((await judge(writeHistory(chat.events), '--model', 'chat')).code, 0)
  t.match(await judge(writeHistory(chat.events)), { code: 2, stderr: 'line 2: a key-value store has no append' })
  t.match(await judge(writeHistory(right.events), '--model=register'), { code: 2, stderr: 'a register has no delete' })
})
