// Runs the compiled tests: each file is a program of its own, a few at a time. Arguments are parts of paths, and choose
// among the files: node scripts/test.mjs paxos/storage. The last line is "N passed, N failed".
//
// tap's own command is not used for this: it loads hooks into every process that a test starts, Synod's servers
// included; and when a file dies, the servers that it has started would stay. Here they go with it.
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Parser } from 'tap-parser'

const root = fileURLToPath(new URL('..', import.meta.url))
const output = join(root, 'tests/.out')

const JOBS = 2
/** A file that needs longer says so itself, by tap's t.setTimeout(ms) at its top level. */
const TIMEOUT_MS = 120_000
/** tap ends an overdue file, and tells where it was; a file that cannot even do that is killed so much later. */
const GRACE_MS = 10_000
/** Of a failed file, so many of the last lines are shown. */
const SHOWN_LINES = 400

const running = new Set()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    for (const child of running) killGroup(child)
    process.kill(process.pid, signal)
  })
}

function testFiles(parts) {
  return readdirSync(output, { recursive: true })
    .filter((file) => file.endsWith('.test.js'))
    .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
    .sort()
}

function killGroup(child) {
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}

/** Counts assertions. A subtest's own line counts only when it fails though nothing in it did (a wrong plan, a throw). */
function count(parser, counts) {
  let failedBelow = 0
  parser.on('child', (child) => {
    const before = counts.failed
    count(child, counts)
    child.once('complete', () => (failedBelow = counts.failed - before))
  })
  parser.on('assert', (result) => {
    // What is skipped or left for later passes in TAP; here it fails, for there are to be no such tests.
    const ok = result.ok && !result.skip && !result.todo
    if (!result.closingTestPoint) counts[ok ? 'passed' : 'failed'] += 1
    else if (!ok && failedBelow === 0) counts.failed += 1
    failedBelow = 0
  })
}

/** Runs one file: { passed, failed, why, lines }, where `why` tells of a failure that no assertion shows. */
async function runFile(file) {
  const counts = { passed: 0, failed: 0 }
  const lines = []
  const parser = new Parser()
  count(parser, counts)
  const child = spawn(process.execPath, ['--enable-source-maps', join(output, file)], {
    cwd: root,
    env: { ...process.env, TAP: '1', TAP_TIMEOUT: String(TIMEOUT_MS / 1000) },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true, // its own process group, so that all its descendants can be ended
  })
  running.add(child)
  let overdue = false
  let timer
  const expectEndIn = (ms) => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      overdue = true
      killGroup(child)
    }, ms + GRACE_MS)
  }
  expectEndIn(TIMEOUT_MS)
  // tap tells its parent process when a file sets another timeout; 0 would be none at all.
  child.on('message', ({ setTimeout: ms }) => typeof ms === 'number' && expectEndIn(ms || TIMEOUT_MS))
  const keep = (line) => {
    // The passing assertions of a failed file are of no use to its reader, but for those that pass by not being run.
    const isPass = /^\s*(ok \d|1\.\.\d|# time=|}?$)/.test(line) && !/# (skip|todo)\b/i.test(line)
    if (!isPass) lines.push(line)
  }
  eachLine(child.stdout, keep)
  eachLine(child.stderr, keep)
  child.stdout.on('data', (data) => parser.write(data))
  const closed = new Promise((resolve) => child.once('close', resolve))
  const { code, signal } = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  clearTimeout(timer)
  killGroup(child) // what it has left running
  running.delete(child)
  await closed
  await new Promise((resolve) => {
    parser.once('complete', resolve)
    parser.end()
  })
  let why = ''
  if (overdue) why = 'was killed because it did not end in time'
  else if (signal) why = `died of ${signal}`
  else if (code !== 0 && counts.failed === 0) why = `exited with code ${code}`
  else if (!parser.ok && counts.failed === 0) why = 'did not finish its plan'
  else if (counts.passed + counts.failed === 0) why = 'asserts nothing'
  if (why) counts.failed += 1
  return { ...counts, why, lines }
}

function eachLine(stream, call) {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (data) => {
    const parts = (rest + data).split('\n')
    rest = parts.pop()
    parts.forEach(call)
  })
  stream.on('end', () => rest && call(rest))
}

function report(file, { passed, failed, why, lines }, seconds) {
  const name = file.replace(/\.test\.js$/, '')
  const mark = failed === 0 ? 'ok  ' : 'FAIL'
  console.log(`${mark} ${name}  ${passed} passed, ${failed} failed, ${seconds.toFixed(1)} s${why && ` (${why})`}`)
  if (failed === 0) return
  if (lines.length > SHOWN_LINES) console.log(`     … ${lines.length - SHOWN_LINES} lines before this …`)
  for (const line of lines.slice(-SHOWN_LINES)) console.log(`     ${line}`)
}

/**
 * Runs all tests, or those with one of `parts` in their paths; returns { passed, failed }.
 *
 * @param steps what is to be run beside them, each a function that resolves to { passed, failed }; they come first
 */
export async function runTests(parts, steps = []) {
  const files = testFiles(parts)
  const total = { passed: 0, failed: 0 }
  if (files.length === 0) {
    console.log('There is no such test.')
    total.failed = 1
  }
  const test = async (file) => {
    const started = performance.now()
    const result = await runFile(file)
    report(file, result, (performance.now() - started) / 1000)
    return result
  }
  const jobs = [...steps, ...files.map((file) => () => test(file))]
  const next = async () => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      const { passed, failed } = await job()
      total.passed += passed
      total.failed += failed
    }
  }
  await Promise.all(Array.from({ length: JOBS }, next))
  return total
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { passed, failed } = await runTests(process.argv.slice(2))
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
}
