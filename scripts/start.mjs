// The main job: three kvstore servers as real processes, and the client's prompt. `npm start` sets up and builds first.
//
//   npm start                    data in a directory that is removed at the end
//   npm start -- --keep DIR      data in DIR, found again by the next run
//   npm start < commands.txt     runs the commands that it reads, and ends
//   npm start < /dev/null &      no prompt; the servers run until it gets a signal. A script's shell does this with each
//                                command that it starts in the background, also when it does not say so
import { spawn } from 'node:child_process'
import { fstatSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { devNull, tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { isatty } from 'node:tty'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ProcessCluster } from '@synod/harness/internal/process'

const COUNT = 3

const root = fileURLToPath(new URL('..', import.meta.url))

function readArguments() {
  try {
    const { values } = parseArgs({ options: { keep: { type: 'string' } } })
    if (values.keep === '') throw new Error('--keep needs a directory')
    return values
  } catch (error) {
    console.error(`npm start: ${error.message}; usage: npm start [-- --keep DIR]`)
    process.exit(2)
  }
}

/** Runs the client on our own terminal; answers with its exit code. */
let client
async function runClient(cluster, ...args) {
  const command = join(root, 'packages/kvstore/bin/kvstore-client.js')
  client = spawn(process.execPath, [command, '--servers', cluster.servers, ...args], { stdio: 'inherit' })
  return new Promise((answer, fail) => {
    client.once('error', fail)
    client.once('exit', (code) => answer(code ?? 1))
  })
}

/** Whether standard input is /dev/null: then nobody will ever type a command, and none is read from a file. */
function nobodyTypes() {
  const input = fstatSync(0)
  return input.isCharacterDevice() && input.rdev === statSync(devNull).rdev
}

/** Never resolves; only a signal ends it, also when all servers were killed: somebody may bring them back. */
function forever() {
  return new Promise(() => setInterval(() => undefined, 2 ** 31 - 1))
}

function explain(cluster, kept) {
  const where = relative(process.cwd(), root)
  const pids = [...cluster.addresses.keys()].map((id) => cluster.child(id)?.pid)
  const there = where === '' ? '' : `cd ${where} && `
  console.log(`
Three servers run, and keep the same data.
  talk to them  ${there}npx kvstore-client --servers ${cluster.servers} status
  kill one      kill -9 ${pids[0]}    (pids of servers 0, 1, 2: ${pids.join(', ')})
  bring it back ${there}npx kvstore-server --id 0 --peers ${cluster.servers} --data-dir ${cluster.dataDir(0)}
                (in a terminal of its own, where Ctrl-C ends it)
  data, logs    ${cluster.directory}${kept ? '' : ' (removed at the end; keep it with: npm start -- --keep DIR)'}
`)
}

async function main() {
  const { keep } = readArguments()
  const kept = keep !== undefined
  const directory = kept ? resolve(keep) : mkdtempSync(join(tmpdir(), 'synod-'))
  let cluster
  let served = false
  const end = async (why) => {
    await cluster?.stop()
    if (!kept) rmSync(directory, { recursive: true, force: true })
    const data = kept ? `their data is in ${directory}` : 'their data is removed'
    if (served) console.error(`npm start: ${why}: the servers are stopped, and ${data}`)
  }
  let ending
  const endOnce = (why) => (ending ??= end(why))
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ]) {
    process.on(signal, () => {
      client?.kill('SIGTERM')
      void endOnce(signal).then(() => process.exit(128 + number))
    })
  }
  try {
    try {
      // Ctrl-C on the terminal is for the client, and for us.
      cluster = await ProcessCluster.prepare({ directory, count: COUNT, detached: true })
      await cluster.startAll()
    } catch (error) {
      if (ending === undefined) console.error(`npm start: ${error.message}`)
      return 1
    }
    served = true
    await runClient(cluster, 'status')
    if (ending !== undefined) return 1
    explain(cluster, kept)
    if (nobodyTypes()) {
      console.log(`Standard input is ${devNull}: no prompt. The servers run until you end them: kill ${process.pid}\n`)
      await forever()
    }
    return await runClient(cluster)
  } finally {
    await endOnce(isatty(0) ? 'the prompt has ended' : 'the commands on standard input have ended')
  }
}

process.exitCode = await main()
