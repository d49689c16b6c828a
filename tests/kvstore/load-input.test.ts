import { PassThrough } from 'node:stream'
import t from 'tap'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { readLines } from '@synod/kvstore/internal/cli/lines'
import { formatOf, readPair } from '@synod/kvstore/internal/cli/pairs'
import { Progress } from '@synod/kvstore/internal/cli/progress'
import { Window } from '@synod/kvstore/internal/cli/window'

async function linesOf(chunks: Buffer[], max = 1000): Promise<[number, string | null][]> {
  const found: [number, string | null][] = []
  for await (const lines of readLines(streamOf(chunks), max)) {
    for (const { number, bytes } of lines) found.push([number, bytes?.toString() ?? null])
  }
  return found
}

async function* streamOf(chunks: Buffer[]): AsyncGenerator<Buffer> {
  await Promise.resolve()
  yield* chunks
}

t.test('lines are the same wherever the chunks of a file end', async (t) => {
  const text = 'first\nzweite é\r\n\n😀\n\r\nlast without an end'
  const wanted = text.split('\n').map((line, at) => [at + 1, line.replace(/\r$/, '')])
  const bytes = Buffer.from(text)
  for (let size = 1; size <= bytes.length; size += 1) {
    const chunks: Buffer[] = []
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
    t.strictSame(await linesOf(chunks), wanted, `chunks of ${size}`)
  }
  t.strictSame(await linesOf([Buffer.from('a\n')]), [[1, 'a']], 'the end of the last line begins no other')
  t.strictSame(await linesOf([]), [])
})

t.test('a line that is too long is told, and those around it are read', async (t) => {
  const text = Buffer.from(`ok\n${'x'.repeat(50)}\nfine\n${'y'.repeat(11)}`)
  for (const size of [1, 7, 100]) {
    const chunks: Buffer[] = []
    for (let at = 0; at < text.length; at += size) chunks.push(text.subarray(at, at + size))
    const wanted = [
      [1, 'ok'],
      [2, null],
      [3, 'fine'],
      [4, null],
    ]
    t.strictSame(await linesOf(chunks, 10), wanted, `chunks of ${size}`)
  }
})

t.test('JSON Lines and TSV are read', (t) => {
  t.strictSame(readPair(Buffer.from('{"key":"k","value":"v\\n"}'), 'jsonl'), ['k', 'v\n'])
  t.strictSame(readPair(Buffer.from(' {"value":"", "key":"__proto__"} '), 'jsonl'), ['__proto__', ''])
  t.strictSame(readPair(Buffer.from('a key\tC:\\temp\tand more'), 'tsv'), ['a key', 'C:\\temp\tand more'])
  t.strictSame(readPair(Buffer.from('k\t'), 'tsv'), ['k', ''])
  t.end()
})

t.test('each bad line is told by what is wrong with it', (t) => {
  const bad = (line: Buffer | string | null, format: 'jsonl' | 'tsv'): string => {
    try {
      readPair(typeof line === 'string' ? Buffer.from(line) : line, format)
      return 'read'
    } catch (error) {
      return (error as Error).message
    }
  }
  t.equal(bad('{"key":"k"', 'jsonl'), 'this is not JSON')
  t.equal(bad('["k","v"]', 'jsonl'), 'this is not an object of "key" and "value"')
  t.equal(bad('null', 'jsonl'), 'this is not an object of "key" and "value"')
  t.equal(bad('{"key":"k","value":7}', 'jsonl'), 'a value must be a string')
  t.equal(bad('{"key":"","value":"v"}', 'jsonl'), 'a key must not be empty')
  t.match(bad('{"key":"k","value":"v","ttl":1}', 'jsonl'), /ttl/)
  t.match(bad('{"key":"\\ud800","value":"v"}', 'jsonl'), /well-formed/)
  t.match(bad(`{"key":"${'k'.repeat(5000)}","value":"v"}`, 'jsonl'), /at most 4096 bytes, and this one has 5000/)
  t.equal(bad(Buffer.from([0x7b, 0xff, 0x7d]), 'jsonl'), 'this is not UTF-8')
  t.equal(bad('no tab', 'tsv'), 'there is no tab between key and value')
  t.equal(bad('\tv', 'tsv'), 'a key must not be empty')
  t.match(bad(null, 'tsv'), /the line is longer than 8388608 bytes/)
  t.end()
})

t.test('the format is told by the name, or else by the first line', (t) => {
  t.equal(formatOf('a.tsv', Buffer.from('{}')), 'tsv')
  t.equal(formatOf('a.JSONL', Buffer.from('a\tb')), 'jsonl')
  t.equal(formatOf('-', Buffer.from('a\tb')), 'tsv')
  t.equal(formatOf('pairs', Buffer.from('  {"key":"a\t"}')), 'jsonl')
  t.end()
})

/** What a progress bar writes meanwhile. */
function drawn(total: number | undefined, isTTY: boolean, work: (progress: Progress) => void): string {
  const output = Object.assign(new PassThrough(), { isTTY, columns: 100 })
  const progress = new Progress(total, output)
  work(progress)
  progress.end()
  return String(output.read() ?? '')
}

t.test('the progress bar tells the part of the file, or only the pairs where that is not known', (t) => {
  const bar = (bytes: number, pairs: number, total: number | undefined) =>
    drawn(total, true, (progress) => {
      progress.update(bytes, pairs)
      progress.note('a note')
    })
  t.match(bar(500, 4000, 1000), /█{12}░{12} 50% {2}4,000 pairs, [\d,]+ a second, \d+ s left/)
  t.match(bar(1001, 7, 1000), /█{24} 100% {2}7 pairs, [\d,]+ a second, 0 s left/, 'a file that grew')
  const counted = bar(500, 4000, undefined)
  t.match(counted, /4,000 pairs, [\d,]+ a second/)
  t.notMatch(counted, /[█░%]|left/)
  t.end()
})

t.test('a note stands above the bar, of which nothing stays at the end', (t) => {
  const [clear, home] = ['\x1b[0J', '\x1b[1G']
  const notes = (progress: Progress) => {
    progress.note('one')
    progress.note('two')
  }
  const output = drawn(1000, true, notes)
  const lines = output.split('\n')
  t.match(lines[0], /one$/)
  t.match(lines[1], /░ 0% {2}0 pairs, 0 a second.*two$/, 'the bar is drawn again, and then overwritten')
  t.match(lines[2], /░ 0% {2}0 pairs, 0 a second/)
  t.ok(output.endsWith(home + clear))
  t.equal(drawn(1000, false, notes), 'one\ntwo\n', 'there is no bar where no terminal is')
  const late = drawn(1000, true, (progress) => {
    progress.end()
    progress.note('late')
  })
  t.notMatch(late, '░', 'nor after the end')
  t.match(late, 'late\n')
  t.end()
})

t.test('a window bounds what is in flight, and keeps the order of each key', async (t) => {
  const prng = new Prng(7)
  const window = new Window({ count: 8, bytes: 100 })
  const order = new Map<string, number[]>()
  const finish: (() => void)[] = []
  let [running, bytesRunning, most, mostBytes] = [0, 0, 0, 0]
  const pump = setInterval(() => finish.splice(prng.below(Math.max(finish.length, 1)), 1)[0]?.(), 0)
  for (let n = 0; n < 300; n += 1) {
    const key = prng.pick(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm'])
    const bytes = prng.pick([1, 5, 40, 300])
    await window.add(key, bytes, async () => {
      running += 1
      bytesRunning += bytes
      most = Math.max(most, running)
      if (running > 1) mostBytes = Math.max(mostBytes, bytesRunning)
      await new Promise<void>((resolve) => finish.push(resolve))
      order.set(key, [...(order.get(key) ?? []), n])
      running -= 1
      bytesRunning -= bytes
    })
  }
  await window.drained()
  clearInterval(pump)
  t.equal(running, 0)
  t.ok(most > 2 && most <= 8, `at most ${most} at once`)
  t.ok(mostBytes <= 100, `at most ${mostBytes} bytes of more than one at once`)
  for (const [key, numbers] of order)
    t.strictSame(
      numbers,
      numbers.toSorted((a, b) => a - b),
      key,
    )
  t.equal([...order.values()].flat().length, 300)
})
