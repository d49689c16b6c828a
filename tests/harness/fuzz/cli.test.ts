/** `harness simulate` and `harness fuzz`, as a person types them. */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Report } from '@synod/harness/internal/report/report'
import { parseScenario } from '@synod/harness/internal/scenario/load'
import t from 'tap'

t.setTimeout(180_000)

const directory = mkdtempSync(join(tmpdir(), 'synod-fuzz-'))
t.teardown(() => {
  rmSync(directory, { recursive: true, force: true })
})
const program = fileURLToPath(new URL('bin/harness.js', import.meta.resolve('@synod/harness')))

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** @param mutant a deliberate bug that is put in */
function harness(words: string, mutant?: string): Promise<Ended> {
  const hook = fileURLToPath(new URL('../../mutants/register.js', import.meta.url))
  const options = mutant === undefined ? [] : ['--import', hook]
  const env = { ...process.env, ...(mutant !== undefined && { SYNOD_MUTANT: mutant }) }
  return new Promise((resolve) => {
    const args = [...options, program, ...words.split(' ')]
    const child = execFile(process.execPath, args, { env, cwd: directory, timeout: 100_000 }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr })
    })
  })
}

const digestOf = ({ stdout }: Ended): string => /digest of the trace ([0-9a-f]{64})/.exec(stdout)?.[1] ?? 'none'

t.test('a seed is simulated: the same twice, with its report in files', async (t) => {
  const first = await harness('simulate --seed 5 --json report.json --report report.html --history history.jsonl')
  t.equal(first.code, 0, first.stderr + first.stdout)
  const report = JSON.parse(readFileSync(join(directory, 'report.json'), 'utf8')) as Report
  t.match(report, { world: 'simulator', server: 'kvstore', ok: true, scenario: { seed: 5 } })
  t.match(readFileSync(join(directory, 'report.html'), 'utf8'), /^<!doctype html>/i)
  t.equal(readFileSync(join(directory, 'history.jsonl'), 'utf8').trim().split('\n').length, report.history.length)
  const second = await harness('simulate --seed 5 --trace')
  t.match(digestOf(second), /^[0-9a-f]{64}$/)
  t.equal(digestOf(second), digestOf(first))
  t.ok(second.stdout.split('\n').length > first.stdout.split('\n').length + 100, 'the trace is printed')
})

t.test('what is drawn can be told: service, servers and faults', async (t) => {
  const ended = await harness('simulate --seed 5 --server chatroom --servers 4 --faults crash,Pause --json chat.json')
  t.equal(ended.code, 0, ended.stderr + ended.stdout)
  const { scenario, server } = JSON.parse(readFileSync(join(directory, 'chat.json'), 'utf8')) as Report
  t.equal(server, 'chatroom')
  t.equal(scenario.servers, 4)
  t.match(scenario.description, /Crash, Pause$/)
})

t.test('seeds are fuzzed, and what they did is counted', async (t) => {
  const { code, stdout, stderr } = await harness('fuzz --seeds 1-4 --jobs 2')
  t.equal(code, 0, stderr)
  t.match(
    stdout,
    /^4 seeds in \d+ s \([\d.]+\/s\): [\d.]+ simulated hours, [\d,]+ operations, [\d,]+ crashes, none failed; the first seed was 1\n$/,
  )
})

t.test('time is a limit, too', async (t) => {
  const { code, stdout, stderr } = await harness('fuzz --minutes 0.02 --jobs 1 --servers 3')
  t.equal(code, 0, stderr)
  t.match(stdout, /^[1-9]\d* seeds? in/)
})

t.test(
  'a failure is shrunk, and kept as a scenario that fails in the same way, and holds without the bug',
  async (t) => {
    const { code, stdout, stderr } = await harness('fuzz --seeds 1 --jobs 2 --out found', 'vote-before-sync')
    t.equal(code, 1)
    t.match(stdout, /, 1 failed; the first seed was 1\n$/)
    t.match(
      stderr,
      /seed 1: replay it with: npx harness simulate --seed 1 --trace\n.* npx harness simulate --file found/,
    )
    const [file = ''] = readdirSync(join(directory, 'found'))
    t.equal(file, 'seed-1.json')
    const text = readFileSync(join(directory, 'found', file), 'utf8')
    const scenario = parseScenario(text, file)
    t.match(scenario.description, /^shrunk from: /)
    t.ok(text.split('\n').length < scenario.steps.length + 12, 'a line for each step')
    const broken = await harness(`simulate --file found/${file}`, 'vote-before-sync')
    t.equal(broken.code, 1, broken.stdout)
    const whole = await harness(`simulate --file found/${file}`)
    t.equal(whole.code, 0, whole.stdout)
  },
)

t.test('what makes no sense is told in a sentence', async (t) => {
  for (const [words, sentence] of [
    ['simulate', /give --seed N.*or --file/],
    ['simulate --seed x', /whole number/],
    ['simulate --seed 1 --server nobody', /--server nobody/],
    ['simulate --file nowhere.json', /nowhere\.json: the file cannot be read/],
    ['simulate --file a.json --faults Crash', /the file says its own/],
    ['simulate --seed 1 --faults Crash,Flood', /no fault "Flood"/],
    ['fuzz', /give --seeds FROM-TO, or --minutes M/],
    ['fuzz --seeds 5-1', /1-1000/],
    ['fuzz --minutes 0', /above 0/],
    ['fuzz --seeds 1-2 --servers 0', /numbers from 1/],
    ['fuzz --seeds 1-2 --jobs 0', /from 1 to 999/],
    ['fuzz --seeds 1-2 --server other', /kvstore and chatroom/],
    ['fuzz --seeds 1-2 --out /proc/found', /--out \/proc\/found cannot be written/],
  ] as const) {
    const { code, stderr, stdout } = await harness(words)
    t.equal(code, 2, words)
    t.match(stderr, sentence)
    t.equal(stdout, '')
  }
  t.notOk(existsSync(join(directory, 'seed-1.json')))
})
