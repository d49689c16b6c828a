import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Cluster, COMMANDS, freePorts } from '../support/cluster.js'
import { kvClient, type Outcome } from '../support/command.js'

// Each command is a process of its own.
t.setTimeout(200_000)
const cluster = await Cluster.start(t)
const kv = (args: readonly string[], input?: string): Promise<Outcome> =>
  kvClient(['--servers', cluster.servers, ...args], input === undefined ? {} : { input })
const done = (stdout: string): Outcome => ({ code: 0, stdout, stderr: '' })

function file(name: string, content: string | Buffer): string {
  mkdirSync(cluster.directory, { recursive: true })
  const path = join(cluster.directory, name)
  writeFileSync(path, content)
  return path
}

await t.test('get, set and del say what they found, and end with 1 for a key that is not there', async (t) => {
  t.strictSame(await kv(['get', 'colour']), { code: 1, stdout: '', stderr: 'There is no key colour.\n' })
  t.strictSame(await kv(['set', 'colour', 'dark blue']), done('created\n'))
  t.strictSame(await kv(['set', 'colour', 'a\tb\nc']), done('replaced\n'))
  t.strictSame(await kv(['get', 'colour']), done('a\tb\nc\n'), 'a value is printed as it is')
  t.strictSame(await kv(['del', 'colour']), done('deleted\n'))
  t.strictSame(await kv(['del', 'colour']), { code: 1, stdout: '', stderr: 'There is no key colour.\n' })
  t.strictSame(await kv(['set', '__proto__', '-5']), done('created\n'))
  t.strictSame(await kv(['get', '__proto__']), done('-5\n'))
  t.strictSame(await kv(['set', '--', '--dashed', '--value']), done('created\n'))
  t.strictSame(await kv(['get', '--', '--dashed']), done('--value\n'))
  await kv(['del', '__proto__'])
  await kv(['del', '--', '--dashed'])
})

await t.test('--json answers in JSON', async (t) => {
  t.strictSame(await kv(['--json', 'set', 'j', 'ü']), done('{"key":"j","existed":false}\n'))
  t.strictSame(await kv(['get', 'j', '--json']), done('{"key":"j","value":"ü"}\n'), 'also behind the command')
  t.strictSame(await kv(['--json', 'get', 'none']), { code: 1, stdout: '{"key":"none","value":null}\n', stderr: '' })
  t.strictSame(await kv(['--json', 'count', 'j']), done('{"prefix":"j","count":1}\n'))
  t.strictSame(await kv(['--json', 'list', 'j']), done('{"key":"j","value":"ü"}\n'))
  t.strictSame(await kv(['--json', 'list', 'j', '--keys']), done('{"key":"j"}\n'))
  t.strictSame(await kv(['--json', 'cas', 'j', 'x', 'y']), {
    code: 1,
    stdout: '{"key":"j","swapped":false,"current":"ü"}\n',
    stderr: '',
  })
  t.strictSame(await kv(['--json', 'del', 'j']), done('{"key":"j","existed":true}\n'))
  const wrong = await kv(['--json', 'get', ''])
  t.equal(wrong.code, 2)
  t.match(JSON.parse(wrong.stderr), { error: { code: 'BAD_OPERATION', message: /a key must not be empty/ } })
})

await t.test('cas swaps only what is expected', async (t) => {
  t.match(await kv(['cas', 'lock', 'me', 'you']), { code: 1, stderr: 'Not swapped: there is no key lock.\n' })
  t.strictSame(await kv(['cas', '--absent', 'lock', 'me']), done('swapped\n'))
  t.match(await kv(['cas', 'lock', 'you', '--absent']), { code: 1, stderr: 'Not swapped: the value of lock is me\n' })
  t.strictSame(await kv(['cas', 'lock', 'me', 'you']), done('swapped\n'))
  t.match(await kv(['cas', '--delete', 'lock', 'me']), { code: 1 })
  t.strictSame(await kv(['cas', '--delete', 'lock', 'you']), done('swapped\n'))
  t.match(await kv(['get', 'lock']), { code: 1 })
  t.match(await kv(['cas', 'lock', 'one']), { code: 2, stderr: /cas takes KEY OLD NEW/ })
  t.match(await kv(['cas', 'lock', 'one', 'two', 'three']), { code: 2, stderr: /cas takes KEY OLD NEW/ })
})

await t.test('list prints the pairs of a prefix in order, over as many pages as it takes', async (t) => {
  const keys = Array.from({ length: 12_000 }, (_, n) => `page/${String(n).padStart(5, '0')}`)
  const lines = keys.map((key) => JSON.stringify({ key, value: `of ${key}` }))
  t.match(await kv(['load', '-'], lines.toReversed().join('\n')), { code: 0, stdout: /^loaded 12000 pairs in / })
  t.strictSame(await kv(['list', 'page/']), done(keys.map((key) => `${key}\tof ${key}\n`).join('')))
  t.strictSame(
    await kv(['list', 'page/', '--keys', '--limit', '2', '--after', 'page/00003']),
    done('page/00004\npage/00005\n'),
  )
  t.strictSame(await kv(['count', 'page/']), done('12000\n'))
  t.strictSame(await kv(['count', 'page/0000']), done('10\n'))
  t.strictSame(await kv(['list', 'nothing/']), done(''))
  await kv(['set', 'odd key\n', '\u001b[31m'])
  t.strictSame(
    await kv(['list', 'odd']),
    done('"odd key\\n"\t"\\u001b[31m"\n'),
    'no control character reaches a terminal',
  )
})

await t.test('load names each bad line, and goes on or stops', async (t) => {
  const content = '\ufeff{"key":"l/1","value":"1"}\nnonsense\n\n{"key":"","value":"x"}\r\n{"key":"l/2","value":"2"}'
  const path = file('pairs.jsonl', content)
  const stopped = await kv(['load', path])
  t.match(stopped, { code: 2, stdout: /^loaded 1 pairs in [\d.]+ s, \d+ a second; 1 bad line\n$/ })
  t.equal(stopped.stderr, `${path}, line 2: this is not JSON.\n`)
  t.match(await kv(['get', 'l/2']), { code: 1 })

  const went = await kv(['load', '--on-error', 'continue', path])
  t.match(went, { code: 2, stdout: /^loaded 2 pairs .*; 2 bad lines\n$/ })
  t.equal(went.stderr, `${path}, line 2: this is not JSON.\n${path}, line 4: a key must not be empty.\n`)
  t.strictSame(await kv(['list', 'l/']), done('l/1\t1\nl/2\t2\n'))

  const json = JSON.parse((await kv(['--json', 'load', path, '--on-error', 'continue'])).stdout) as Record<
    string,
    unknown
  >
  t.match(json, { loaded: 2, bad: 2, bytes: Buffer.byteLength(content), ms: Number, perSecond: Number })
})

await t.test('load reads TSV, keeps the order of a key, and says which file it cannot read', async (t) => {
  const lines = Array.from({ length: 3000 }, (_, n) => `t/${n % 7}\tvalue\t${n}`)
  t.match(await kv(['load', file('pairs.tsv', `${lines.join('\r\n')}\r\n`)]), { code: 0, stdout: /^loaded 3000 pairs/ })
  const last = Array.from({ length: 7 }, (_, k) => `t/${k}\tvalue\t${lines.length - 1 - ((lines.length - 1 - k) % 7)}`)
  const listed = await kv(['--json', 'list', 't/'])
  const pairs = listed.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { key: string; value: string })
  t.strictSame(
    pairs.map(({ key, value }) => `${key}\t${value}`),
    last,
    'the last value of each key in the file won',
  )
  t.match(await kv(['load', '/does/not/exist']), {
    code: 2,
    stderr: 'kvstore-client: /does/not/exist cannot be read: ENOENT.\n',
  })
  t.match(await kv(['load', cluster.directory]), { code: 2, stderr: /is a directory; load reads a file/ })
})

await t.test('values up to 1 MiB go in and come out, and larger ones are refused', async (t) => {
  const value = `${'é'.repeat(524_287)}ab`
  const path = file('large.jsonl', JSON.stringify({ key: 'large', value }))
  t.match(await kv(['load', path]), { code: 0 })
  t.ok((await kv(['get', 'large'])).stdout === `${value}\n`)
  const over = file('over.jsonl', JSON.stringify({ key: 'over', value: `${value}c` }))
  t.match(await kv(['load', over]), {
    code: 2,
    stderr: /line 1: a value must have at most 1048576 bytes, and this one has 1048577\.\n/,
  })
  t.match(await kv(['del', 'large']), { code: 0 })
})

await t.test('dump writes the same bytes from every server, and load takes them back', async (t) => {
  await cluster.caughtUp()
  const dumps = []
  for (const address of cluster.addresses) dumps.push(await kv(['dump', '--server', address]))
  for (const [id, { code, stdout, stderr }] of dumps.entries()) {
    t.equal(code, 0)
    t.ok(stdout === dumps[0]?.stdout, `server ${id} has the same`)
    t.match(stderr, new RegExp(`^\\d+ pairs, as ${cluster.address(id)} has them at slot \\d+\\n$`))
  }
  const lines = dumps[0]?.stdout.trim().split('\n') ?? []
  const keys = lines.map((line) => (JSON.parse(line) as { key: string }).key)
  t.strictSame(
    keys,
    keys.toSorted((a, b) => (a < b ? -1 : 1)),
    'in order',
  )
  t.equal(`${lines.length}\n`, (await kv(['count'])).stdout)
  t.match(await kv(['load', '-'], dumps[0]?.stdout ?? ''), {
    code: 0,
    stdout: new RegExp(`^loaded ${lines.length} pairs`),
  })
  t.match(await kv(['dump', '--server', 'nowhere']), { code: 2, stderr: /"nowhere" is not a host:port/ })
})

await t.test('status shows every server that was named, also one that does not answer', async (t) => {
  const [port = 0] = await freePorts(1)
  const missing = `127.0.0.1:${port}`
  const args = ['--servers', `${cluster.servers},${missing}`, '--timeout', '2000', 'status']
  const { code, stdout } = await kvClient(args)
  t.equal(code, 0)
  for (const head of ['id', 'address', 'role', 'ballot', 'slot', 'behind', 'log', 'snapshot', 'reads', 'up'])
    t.match(stdout, head)
  for (const address of cluster.addresses) t.match(stdout, address)
  t.match(stdout, new RegExp(`${missing}.*unreachable`))
  t.equal(stdout.match(/leader/g)?.length, 1)
  t.equal(stdout.match(/follower/g)?.length, 2)
  const { servers } = JSON.parse((await kvClient(['--json', ...args])).stdout) as { servers: unknown[] }
  t.match(servers[0], {
    address: cluster.address(0),
    error: null,
    status: { id: 0, applied: Number, logBytes: Number },
  })
  t.match(servers[3], { address: missing, status: null, error: String })
})

await t.test('standard input that is no terminal gives the commands, a line each', async (t) => {
  const script = `# a comment\nset "a key" 'two words'\n\nget "a key"\nget missing\nnonsense\nset "open\nget "a key" --json\nexit\nget never\n`
  const { code, stdout, stderr } = await kv([], script)
  t.equal(code, 2, 'the worst of all')
  t.equal(stdout, 'created\ntwo words\n')
  const [missing, unknown, open, option] = stderr.split('\n')
  t.equal(missing, 'There is no key missing.')
  t.match(unknown, /^line 6: unknown command 'nonsense'/)
  t.equal(open, 'line 7: a quote is not closed.')
  t.match(option, /^line 8: unknown option '--json'/)
  t.strictSame(
    await kv(['--json'], 'get "a key"\ndel "a key"'),
    done('{"key":"a key","value":"two words"}\n{"key":"a key","existed":true}\n'),
  )
  t.match(await kv([], 'load -'), { code: 2, stderr: /line 1: load - cannot read standard input/ })
  const help = await kv([], 'help\nhelp cas')
  t.match(help, { code: 0, stderr: '' })
  t.match(help.stdout, /get \[options\] <key>[^]*status[^]*--absent/)
})

await t.test('a wrong flag, address or command gets one sentence and the exit code 2', async (t) => {
  const servers = ['--servers', cluster.servers]
  const cases: [string[], RegExp][] = [
    [['get', 'k'], /--servers is needed/],
    [['--servers', 'here', 'get', 'k'], /"here" is not a host:port/],
    [['--servers', '127.0.0.1:0', 'get', 'k'], /"127.0.0.1:0" is not a host:port/],
    [['--servers', '127.0.0.1:1,,127.0.0.1:2', 'get', 'k'], /"" is not a host:port/],
    [['--servers', '127.0.0.1:99999', 'get', 'k'], /is not a host:port/],
    [[...servers, '--timeout', '-1', 'get', 'k'], /--timeout <ms>.*whole number/],
    [[...servers, '--timeout', '1e3', 'get', 'k'], /--timeout <ms>.*whole number/],
    [[...servers, 'fetch', 'k'], /"fetch" is not a command/],
    [[...servers, 'get'], /missing required argument 'key'/],
    [[...servers, 'get', 'a', 'b'], /too many arguments for 'get'/],
    [[...servers, 'get', '--fast', 'a'], /unknown option '--fast'/],
    [[...servers, '--jsom', 'get', 'a'], /unknown option '--jsom'; did you mean --json\?\n$/],
    [[...servers, 'list', '--limit', '0'], /--limit <n>.*at least 1/],
    [[...servers, 'load', 'f', '--on-error', 'panic'], /--on-error.*continue, stop/],
    [[...servers, 'get', 'k'.repeat(4097)], /a key must have at most 4096 bytes, and this one has 4097/],
  ]
  const outcomes = await Promise.all(cases.map(([args]) => kvClient(args)))
  for (const [at, [args, sentence]] of cases.entries()) {
    const { code, stdout, stderr } = outcomes[at] ?? { code: null, stdout: '', stderr: '' }
    t.equal(code, 2, args.slice(-3).join(' ').slice(0, 40))
    t.equal(stdout, '')
    t.match(stderr, sentence)
    t.match(stderr, /^kvstore-client: [^\n]+\n$/, 'one line')
  }
  t.match(await kvClient(['--help']), { code: 0, stdout: /Exit codes/, stderr: '' })
  t.match(await kvClient(['--version']), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/ })
})

await t.test('a reader that stops reading ends a dump quietly', async (t) => {
  await kv(
    ['load', '-'],
    Array.from({ length: 2000 }, (_, n) => JSON.stringify({ key: `e/${n}`, value: 'x'.repeat(500) })).join('\n'),
  )
  const child = spawn(process.execPath, [join(COMMANDS, 'kvstore-client.js'), '--servers', cluster.servers, 'dump'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdout.once('data', () => child.stdout.destroy())
  const code = await new Promise((resolve) => child.once('close', resolve))
  t.equal(code, 0)
  t.equal(stderr, '')
})

await t.test('without a majority commands end with 3, after their timeout', async (t) => {
  await Promise.all([cluster.kill(0), cluster.kill(1)])
  const { code, stderr } = await kv(['--timeout', '700', 'set', 'k', 'v'])
  t.equal(code, 3)
  t.match(stderr, /^kvstore-client: [^\n]+\n$/)
  t.match(
    await kv(['--timeout', '700'], 'get k\nget k\n'),
    { code: 3, stderr: /^line 1: [^\n]+\n$/ },
    'a script ends there',
  )
  const ended = await kv(['--timeout', '700', 'load', '-'], 'a\tb\nc\td\n')
  t.match(ended, { code: 3, stdout: /^loaded 0 pairs/, stderr: /the load ended at line \d: / })
  t.match(await kv(['--timeout', '700', 'status']), { code: 0, stdout: /unreachable/ })
  await cluster.kill(2)
  t.match(await kv(['--timeout', '700', 'get', 'k']), { code: 3 })
  t.match(await kv(['--timeout', '700', 'status']), { code: 3, stdout: /unreachable/ })
  t.match(await kv(['--timeout', '700', 'dump']), { code: 3 })
  for (const id of [0, 1, 2]) cluster.startServer(id)
  await cluster.serving()
  t.strictSame(await kv(['count', 'page/']), done('12000\n'), 'nothing was lost')
})
