/** `harness run` as a user meets it: what it refuses, how it ends, and what it finds out about servers that are bad. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Report } from '@synod/harness/internal/report/report'
import t from 'tap'
import { COMMANDS } from '../support/cluster.js'
import { run } from '../support/command.js'
import type { Outcome } from '../support/command.js'

t.setTimeout(120_000)
t.jobs = 2

const harness = fileURLToPath(new URL('../../../packages/harness/bin/harness.js', import.meta.url))
const account = fileURLToPath(new URL('../support/account.js', import.meta.url))
const accountServer = fileURLToPath(new URL('../support/account-server.js', import.meta.url))
const kvServer = join(COMMANDS, 'kvstore-server.js')

const directory = mkdtempSync(join(tmpdir(), 'synod-runs-'))
t.teardown(() => {
  rmSync(directory, { recursive: true })
})

function scenario(name: string, steps: readonly object[], more: object = {}): string {
  const file = join(directory, `${name}.json`)
  writeFileSync(file, JSON.stringify({ steps, ...more }))
  return file
}

/** A server command that is a shell script; `$@` are the server's options. */
function script(name: string, text: string): string {
  const file = join(directory, name)
  writeFileSync(file, `#!/bin/sh\n${text}\n`)
  chmodSync(file, 0o755)
  return file
}

async function play(name: string, steps: readonly object[], ...flags: string[]): Promise<Outcome & { report: Report }> {
  const json = join(directory, `${name}-report.json`)
  const outcome = await run(harness, ['--file', scenario(name, steps), '--json', json, ...flags])
  return { ...outcome, report: JSON.parse(readFileSync(json, 'utf8')) as Report }
}

const START = [
  { type: 'Start', count: 3 },
  { type: 'Wait', for: 'serving' },
  { type: 'Connect', id: 0 },
]
const SET = { type: 'Set', id: 0, key: 'a', value: '1', wait: true }
const GOOD = scenario('good', [...START, SET])

for (const [what, args, said] of [
  ['no file', [], /^harness: --file is missing/],
  ['a file that is not there', ['--file', 'nowhere.json'], /^harness: nowhere\.json: the file cannot be read: ENOENT/],
  ['a server that is not there', ['--file', GOOD, '--server', 'nobody'], /^harness: --server nobody: it is neither/],
  [
    'a server that cannot be run',
    ['--file', scenario('submit', [...START, { type: 'Submit', id: 0, op: 1 }]), '--server', directory],
    /^harness: --server: ".*" is neither "kvstore" nor "chatroom" nor a file that can be executed\n$/,
  ],
  [
    'a directory that is none',
    ['--file', GOOD, '--keep', harness],
    /^harness: .*harness\.js cannot keep the servers' data: /,
  ],
  [
    'a report that has no directory',
    ['--file', GOOD, '--json', join(directory, 'nowhere', 'a.json')],
    /^harness: .*a\.json cannot be written: ENOENT/,
  ],
  ['a page that is a directory', ['--file', GOOD, '--report', directory], /cannot be written: it is a directory\n$/],
  ['an unknown command', ['jump'], /^harness: "jump" is not a command/],
] as const) {
  t.test(`refused at once, in one line: ${what}`, async (t) => {
    const { code, stdout, stderr } = await run(harness, args)
    t.equal(code, 2, stderr)
    t.equal(stdout, '', 'nothing was played')
    t.match(stderr, said)
    t.equal(stderr.trim().split('\n').length, 1)
  })
}

t.test('a run that is out of time ends then, and one that is not does not wait for it', async (t) => {
  const load = { type: 'Workload', duration: 100_000, rate: 20 }
  const began = performance.now()
  const late = await run(harness, ['--file', scenario('late', [...START, load], { timeout: 6_000 })])
  t.equal(late.code, 1, late.stderr)
  t.match(late.stdout, /^FAILED +timeout +the run was not over after 6000 ms/m)
  const early = await run(harness, ['--file', scenario('early', [...START, SET], { timeout: 100_000 })])
  t.equal(early.code, 0, early.stdout)
  t.ok(performance.now() - began < 50_000)
})

t.test('a server that is started at the end, and must not run, leaves the others to converge', async (t) => {
  const damage = [
    { type: 'Stop', id: 2 },
    { type: 'Corrupt', id: 2, file: 'first', offset: 40 },
    { type: 'Start', id: 2 },
  ]
  const { code, stdout, report } = await play('damaged', [...START, SET, ...damage])
  t.equal(code, 0, stdout)
  t.match(
    report.checks.find(({ name }) => name === 'convergence'),
    { ok: true, detail: /^servers 0, 1 are equal/ },
  )
})

t.test('a server that cannot run fails the run, with what it said', async (t) => {
  const bad = script('bad', 'echo "no, not today" >&2; exit 3')
  const waits = { type: 'Wait', for: 'serving', timeout: 500 }
  const { code, report } = await play('bad', [{ type: 'Start', count: 1 }, waits], '--server', bad)
  t.equal(code, 1)
  t.match(
    report.checks.find(({ name }) => name === 'servers'),
    { ok: false, detail: 'server 0 ended by itself: no, not today (exit code 3)' },
  )
})

t.test('a server that dies amid the run fails it, though a step starts it again', async (t) => {
  // It dies 2 s after it began to serve, however long that took.
  const served = 'for i in $(seq 300); do if grep -q serves "$6.log"; then break; fi; sleep 0.1; done'
  const once = `if ! [ -e "$0-$2" ]; then touch "$0-$2"; (${served}; sleep 2; kill -9 $$) & fi; exec ${process.execPath} ${kvServer} "$@"`
  const steps = [
    { type: 'Start', count: 1 },
    { type: 'Wait', for: 'serving' },
    { type: 'Connect', id: 0 },
    { type: 'Submit', id: 0, op: { type: 'set', key: 'a', value: '1' }, wait: true },
    { type: 'Sleep', ms: 4_000 },
    { type: 'Start' },
    { type: 'Wait', for: 'serving' },
  ]
  const { code, report } = await play('mortal', steps, '--server', script('mortal', once))
  t.equal(code, 1)
  const failed = report.checks.filter(({ ok }) => ok === false)
  t.match(failed, [{ name: 'servers', detail: /\(signal SIGKILL\)$/ }])
  t.equal(failed.length, 1)
})

t.test('servers that forget what they acknowledged are found out, though nobody reads it', async (t) => {
  const forget = `rm -rf "$6"; exec ${process.execPath} ${accountServer} "$@"`
  const steps = [
    ...START,
    { type: 'Submit', id: 0, op: { type: 'pay', amount: 3 }, wait: true },
    ...[0, 1, 2].map((id) => ({ type: 'Crash', id })),
    { type: 'Start' },
    { type: 'Wait', for: 'serving' },
  ]
  const { code, report } = await play('forget', steps, '--server', script('forget', forget), '--service', account)
  t.equal(code, 1)
  const failed = report.checks.filter(({ ok }) => ok === false)
  t.match(failed, [{ name: 'linearizable', detail: /final state's read found \[10\]/ }])
})

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  t.test(`a run that ${signal} ends leaves nothing behind, a paused server neither`, async (t) => {
    const temporary = join(directory, signal)
    mkdirSync(temporary)
    const steps = [...START, SET, { type: 'Pause', id: 1 }, { type: 'Sleep', ms: 60_000 }]
    const args = [harness, '-v', '--file', scenario(signal, steps)]
    const env = { ...process.env, TMPDIR: temporary }
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'], env })
    t.teardown(() => child.kill('SIGKILL'))
    const ended = once(child, 'exit')
    let said = ''
    child.stderr.on('data', (text: Buffer) => {
      said += text.toString()
      if (said.includes('step 6 ')) child.kill(signal)
    })
    t.strictSame(await ended, [code, null], said)
    t.strictSame(readdirSync(temporary), [])
    const servers = readdirSync('/proc').filter((pid) => {
      try {
        return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(temporary)
      } catch {
        return false // it has just ended
      }
    })
    t.strictSame(servers, [])
    t.notOk(existsSync(join(temporary, 'server-0')))
  })
}
