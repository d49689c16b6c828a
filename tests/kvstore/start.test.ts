import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { until } from '../support/cluster.js'
import { run } from '../support/command.js'

// The compiled test is in tests/.out/kvstore.
const START = fileURLToPath(new URL('../../../scripts/start.mjs', import.meta.url))
t.setTimeout(120_000)

/** The processes of the servers and the directory that the output of `npm start` tells of. */
function toldIn(output: string): { pids: number[]; directory: string } {
  const pids = /\(pids of servers 0, 1, 2: ([\d, ]+)\)/.exec(output)?.[1]?.split(', ').map(Number) ?? []
  return { pids, directory: /data, logs +(\S+)/.exec(output)?.[1] ?? '' }
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
  t.equal(stderr, 'There is no key none.\n')
  t.match(stdout, /│ leader .*created\nblue\n$/s)
  const { pids, directory } = toldIn(stdout)
  t.equal(pids.length, 3)
  t.notOk(pids.some(lives), 'no server runs any more')
  t.match(directory, /synod-/)
  t.notOk(existsSync(directory), 'the data is removed')
})

t.test('npm start -- --keep DIR finds the data again', async (t) => {
  const directory = join(t.testdir(), 'kept')
  t.match(await run(START, ['--keep', directory], { input: 'set colour blue' }), { code: 0, stdout: /created\n$/ })
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
  const child = spawn(process.execPath, [START], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  await until('the servers run', () => toldIn(stdout).directory !== '')
  const { pids, directory } = toldIn(stdout)
  t.ok(pids.every(lives))
  child.kill('SIGTERM')
  const [code] = (await once(child, 'exit')) as [number]
  t.equal(code, 128 + 15)
  t.notOk(pids.some(lives))
  t.notOk(existsSync(directory))
})
