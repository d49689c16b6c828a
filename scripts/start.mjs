// The main job: three kvstore servers as real processes, and the client's prompt. `npm start` sets up and builds first.
//
//   npm start                    data in a directory that is removed at the end
//   npm start -- --keep DIR      data in DIR, found again by the next run
//   npm start < commands.txt     runs the commands that it reads, and ends
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
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

function explain(cluster, kept) {
  const where = relative(process.cwd(), root)
  const pids = [...cluster.addresses.keys()].map((id) => cluster.child(id)?.pid)
  const there = where === '' ? '' : `cd ${where} && `
  console.log(`
Three servers run, and keep the same data.
  talk to them  ${there}npx kvstore-client --servers ${cluster.servers} status
  kill one      kill -9 ${pids[0]}    (pids of servers 0, 1, 2: ${pids.join(', ')})
  bring it back ${there}npx kvstore-server --id 0 --peers ${cluster.servers} --data-dir ${cluster.dataDir(0)}
  data, logs    ${cluster.directory}${kept ? '' : ' (removed at the end; keep it with: npm start -- --keep DIR)'}
`)
}

async function main() {
  const { keep } = readArguments()
  const kept = keep !== undefined
  const directory = kept ? resolve(keep) : mkdtempSync(join(tmpdir(), 'synod-'))
  let cluster
  const end = async () => {
    await cluster?.stop()
    if (!kept) rmSync(directory, { recursive: true, force: true })
  }
  let ending
  const endOnce = () => (ending ??= end())
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ]) {
    process.on(signal, () => {
      client?.kill('SIGTERM')
      void endOnce().then(() => process.exit(128 + number))
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
    await runClient(cluster, 'status')
    explain(cluster, kept)
    return await runClient(cluster)
  } finally {
    await endOnce()
  }
}

process.exitCode = await main()
