/** `chatroom-client` with standard input that is no terminal, and its flags. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MAX_TEXT } from '@synod/chatroom'
import t from 'tap'
import { freePorts } from '../support/cluster.js'
import { run } from '../support/command.js'
import { ChatServers, COMMANDS } from './servers.js'

t.setTimeout(180_000)
const servers = await ChatServers.start(t)
const others = servers.client(t)
const home = mkdtempSync(join(tmpdir(), 'synod-state-'))
t.teardown(() => {
  rmSync(home, { recursive: true, force: true })
})

const client = (args: readonly string[], input = '', state = home) =>
  run(join(COMMANDS, 'chatroom-client.js'), args, { input, env: { XDG_STATE_HOME: state } })
const to = (room: string, ...more: string[]) => [
  '--servers',
  servers.from(0),
  '--name',
  'pipe',
  '--room',
  room,
  ...more,
]

t.test('each line that is not empty is a message, in order', async (t) => {
  const { code, stdout, stderr } = await client(to('lines'), 'one\r\n\n  two\n \n/three\nlast')
  t.strictSame([code, stdout, stderr], [0, '', '4 messages posted to lines.\n'])
  const { messages } = await others.read('lines')
  t.strictSame(
    messages.map(({ author, text }) => [author, text]),
    [
      ['pipe', 'one'],
      ['pipe', '  two'],
      ['pipe', '/three'],
      ['pipe', 'last'],
    ],
  )
  t.strictSame((await others.who('lines')).here, [], 'it does not join')
})

t.test('many lines are on their way at once, and come in order, though a server is killed', async (t) => {
  const lines = Array.from({ length: 3_000 }, (_, n) => `line ${n}`)
  const posting = client(to('many'), lines.join('\n'))
  const from = async () => (await others.read('many', { limit: 1 })).last
  while ((await from()) < 500) await new Promise((resolve) => setTimeout(resolve, 5))
  await servers.kill(0)
  const { code, stderr } = await posting
  servers.startServer(0)
  t.strictSame([code, stderr], [0, '3000 messages posted to many.\n'])
  const texts: string[] = []
  for (let last = 1; texts.length < last;) {
    const page = await others.read('many', { after: texts.length })
    texts.push(...page.messages.map(({ text }) => text))
    last = page.last
  }
  t.strictSame(texts, lines)
})

t.test('a line that is refused is named, and no reason to stop', async (t) => {
  const { code, stdout, stderr } = await client(to('long'), `one\n${'x'.repeat(MAX_TEXT + 1)}\ntwo\n`)
  t.strictSame([code, stdout], [2, ''])
  t.match(stderr, /^line 2: .*a message must have at most 16384 characters.*\n2 messages posted to long\.\n$/)
  t.strictSame(
    (await others.read('long')).messages.map(({ text }) => text),
    ['one', 'two'],
  )
})

t.test('--json tells what became of each line', async (t) => {
  const { code, stdout, stderr } = await client(to('json', '--json'), `one\n\n${'x'.repeat(MAX_TEXT + 1)}\ntwo\n`)
  t.strictSame([code, stderr], [2, ''])
  t.match(
    stdout
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line)),
    [
      { line: 1, number: 1 },
      { line: 3, error: { code: 'BAD_OPERATION', message: /at most 16384/ } },
      { line: 4, number: 2 },
    ],
  )
})

t.test('what the service refuses ends with 1', async (t) => {
  const { rooms } = await others.rooms()
  await Promise.all(
    Array.from({ length: 1000 - rooms.length }, (_, n) =>
      others.post({ room: `filler ${n}`, author: 'eve', key: '0'.repeat(32), text: 'x' }),
    ),
  )
  const { code, stderr } = await client(to('one too many'), 'hello\n')
  t.equal(code, 1)
  t.equal(stderr, 'line 1: there are 1000 rooms already: use one of them.\n0 messages posted to one too many.\n')
})

t.test('a cluster that cannot be reached ends with 3, and what was not posted is said', async (t) => {
  const [port = 0] = await freePorts(1)
  const nobody = ['--servers', `127.0.0.1:${port}`, '--name', 'pipe', '--timeout', '500']
  const { code, stdout, stderr } = await client(nobody, 'one\ntwo\n')
  t.strictSame([code, stdout], [3, ''])
  t.match(
    stderr,
    /^chatroom-client: no server could take the command in time .*\n0 messages posted to lobby; 2 messages not posted\.\n$/,
  )
  const json = await client([...nobody, '--json'], 'one\n')
  t.equal(json.code, 3)
  t.match(JSON.parse(json.stdout), { line: 1, error: { code: 'UNAVAILABLE' } })
})

t.test('a wrong flag gets one sentence and the exit code 2', async (t) => {
  const wrong: [string[], RegExp][] = [
    [[], /^chatroom-client: --servers is needed: .*\n$/],
    [['--servers', servers.from(0)], /^chatroom-client: --name is needed: .*\n$/],
    [['--servers', 'nowhere', '--name', 'a'], /"nowhere" is not a host:port such as 127.0.0.1:10000\.\n$/],
    [
      ['--servers', servers.from(0), '--name', ' '],
      /^chatroom-client: your name must not begin or end with a space\.\n$/,
    ],
    [
      ['--servers', servers.from(0), '--name', 'a', '--room', 'x\ny'],
      /the name of a room must have no control characters\.\n$/,
    ],
    [['--servers', servers.from(0), '--name', 'a', '--timeout', '0'], /It must be a whole number, and at least 1\.\n$/],
    [[...to('lobby'), 'more'], /too many arguments/],
    [[...to('lobby'), '--nonsense'], /unknown option '--nonsense'/],
  ]
  for (const [args, sentence] of wrong) {
    const { code, stdout, stderr } = await client(args, 'hello\n')
    t.strictSame([code, stdout], [2, ''], args.join(' '))
    t.match(stderr, sentence)
    t.equal(stderr.trim().split('\n').length, 1)
  }
  const json = await client(['--json'])
  t.match(JSON.parse(json.stderr), { error: { code: 'USAGE' } })
})

t.test('--help and --version', async (t) => {
  const help = await client(['--help'])
  t.strictSame([help.code, help.stderr], [0, ''])
  t.match(
    help.stdout,
    /^Usage: chatroom-client .*--name <name>.*Exit codes: 0 done; 1 no .*; 2 usage; 3 cluster unavailable\.\n$/s,
  )
  t.match(await client(['--version']), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/ })
})

t.test('the author’s secret is kept, only for the user', async (t) => {
  const state = t.testdir()
  const file = join(state, 'synod', 'chatroom-key')
  await Promise.all([client(to('lobby'), '', state), client(to('lobby'), '', state)])
  const secret = readFileSync(file, 'utf8').trim()
  t.match(secret, /^[0-9a-f]{32}$/)
  t.equal(statSync(file).mode & 0o777, 0o600)
  await client(to('json'), 'mine\n', state)
  t.equal(readFileSync(file, 'utf8').trim(), secret)
  const spoilt = t.testdir()
  mkdirSync(join(spoilt, 'synod'))
  writeFileSync(join(spoilt, 'synod', 'chatroom-key'), 'no key\n')
  t.match(await client(to('json'), 'nevertheless\n', spoilt), { code: 0 })
})
