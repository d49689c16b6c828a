import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { until } from '../support/cluster.js'
import { kvClient, run } from '../support/command.js'

// The compiled test is in tests/.out/kvstore.
const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const START = join(ROOT, 'scripts/start.mjs')
t.setTimeout(120_000)

/** The processes of the servers and the directory that the output of `npm start` tells of. */
function toldIn(output: string): { pids: number[]; directory: string } {
  const pids = /\(pids of servers 0, 1, 2: ([\d, ]+)\)/.exec(output)?.[1]?.split(', ').map(Number) ?? []
  return { pids, directory: /data, logs +(\S+)/.exec(output)?.[1] ?? '' }
}

/** What a process writes to standard output and error, growing. */
function outputOf(t: Test, child: ChildProcess): { text: string } {
  t.teardown(() => child.kill('SIGKILL'))
  const output = { text: '' }
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (output.text += text))
  }
  return output
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

t.test('npm start runs the commands that it is given, and leaves nothing behind', async (t) => {
  const { code, stdout, stderr } = await run(START, [], { input: 'set colour blue\nget colour\nget none\n' })
  t.equal(code, 1, 'as the client ended: one key was not there')
  t.equal(
    stderr,
    'There is no key none.\n' +
      'npm start: the commands on standard input have ended: the servers are stopped, and their data is removed\n',
  )
  t.match(stdout, /│ leader .*created\nblue\n$/s)
  const { pids, directory } = toldIn(stdout)
  t.equal(pids.length, 3)
  t.notOk(pids.some(lives), 'no server runs any more')
  t.match(directory, /synod-/)
  t.notOk(existsSync(directory), 'the data is removed')
})

t.test('npm start -- --keep DIR finds the data again', async (t) => {
  const directory = join(t.testdir(), 'kept')
  const stderr = `npm start: the commands on standard input have ended: the servers are stopped, and their data is in ${directory}\n`
  const stored = await run(START, ['--keep', directory], { input: 'set colour blue' })
  t.match(stored, { code: 0, stdout: /created\n$/, stderr })
  t.match(await run(START, ['--keep', directory], { input: 'get colour' }), { code: 0, stdout: /blue\n$/ })
  t.ok(existsSync(join(directory, 'server-2.log')))
})

t.test('npm start says what is wrong with its arguments, or with a server', async (t) => {
  const usage = /^npm start: .*; usage: npm start \[-- --keep DIR\]\n$/
  t.match(await run(START, ['--hold', 'x']), { code: 2, stdout: '', stderr: usage })
  t.match(await run(START, ['--keep']), { code: 2, stdout: '', stderr: usage })
  const directory = t.testdir({ 'server-1': 'not a directory' })
  const { code, stdout, stderr } = await run(START, ['--keep', directory])
  t.equal(code, 1)
  t.equal(stdout, '')
  t.match(stderr, /^npm start: server 1 ended\n\nkvstore-server: /)
})

t.test('SIGTERM ends npm start, its servers and its directory', async (t) => {
  const child = spawn(process.execPath, [START], { stdio: ['pipe', 'pipe', 'pipe'] })
  const output = outputOf(t, child)
  await until('the servers run', () => toldIn(output.text).directory !== '')
  const { pids, directory } = toldIn(output.text)
  t.ok(pids.every(lives))
  child.kill('SIGTERM')
  const [code] = (await once(child, 'close')) as [number]
  t.equal(code, 128 + 15)
  t.match(output.text, /npm start: SIGTERM: the servers are stopped, and their data is removed\n$/)
  t.notOk(pids.some(lives))
  t.notOk(existsSync(directory))
})

t.test(
  'npm start with /dev/null as standard input serves until a signal comes to the process that npm knows',
  async (t) => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: { start: string } }
    // As npm does it: a shell, to which it passes signals on. What sets up and builds is left out.
    const command = scripts.start.replace('node scripts/setup.mjs && node scripts/build.mjs', 'true')
    t.match(command, /^true && .*start\.mjs$/)
    const child = spawn('sh', ['-c', command], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
    const output = outputOf(t, child)
    const own = (): number => Number(/The servers run until you end them: kill (\d+)/.exec(output.text)?.[1])
    await until('it says how it ends', () => own() > 0)
    t.teardown(() => lives(own()) && process.kill(own(), 'SIGTERM'))
    const servers = /--servers (\S+)/.exec(output.text)?.[1] ?? ''
    t.match(await kvClient(['--servers', servers, 'set', 'colour', 'blue']), { code: 0, stdout: 'created\n' })
    t.equal(child.exitCode, null, 'it goes on')
    const { pids, directory } = toldIn(output.text)
    child.kill('SIGTERM')
    const [code] = (await once(child, 'exit')) as [number]
    t.notOk(lives(own()), 'not only the shell has ended')
    t.equal(code, 128 + 15)
    t.match(output.text, /npm start: SIGTERM: the servers are stopped, and their data is removed\n$/)
    t.notOk(pids.some(lives))
    t.notOk(existsSync(directory))
  },
)
