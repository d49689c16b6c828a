// The main job: three kvstore servers as real processes, and the client's prompt. `npm start` sets up and builds first.
//
//   npm start                    data in a directory that is removed at the end
//   npm start -- --keep DIR      data in DIR, found again by the next run
//   npm start < commands.txt     runs the commands that it reads, and ends
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { connectKvstore } from '@synod/kvstore'

const COUNT = 3
/** ms */
const START_PATIENCE = 30_000
/** ms */
const STOP_PATIENCE = 5_000

const root = fileURLToPath(new URL('..', import.meta.url))
const commands = join(root, 'packages/kvstore/bin')

/** Something went wrong that the user can understand; the message says it. */
class StartError extends Error {}

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

/** A port of 127.0.0.1 that nobody listens on, out of the way of those that the kernel gives to outgoing connections. */
async function freePort(taken) {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    if (taken.includes(port)) continue
    const free = await new Promise((answer) => {
      const probe = createServer()
      probe.once('error', () => answer(false))
      probe.listen(port, '127.0.0.1', () => probe.close(() => answer(true)))
    })
    if (free) return port
  }
}

/** The servers, their processes and their data. */
class Cluster {
  servers = []
  addresses = []

  constructor(keep) {
    this.kept = keep !== undefined
    this.directory = keep === undefined ? mkdtempSync(join(tmpdir(), 'synod-')) : resolve(keep)
  }

  async start() {
    mkdirSync(this.directory, { recursive: true })
    const ports = []
    while (ports.length < COUNT) ports.push(await freePort(ports))
    this.addresses = ports.map((port) => `127.0.0.1:${port}`)
    for (let id = 0; id < COUNT; id += 1) this.#spawn(id)
    await this.#serving()
  }

  #spawn(id) {
    const log = join(this.directory, `server-${id}.log`)
    const data = join(this.directory, `server-${id}`)
    const out = openSync(log, 'w')
    const args = [join(commands, 'kvstore-server.js'), '--id', id, '--peers', this.addresses.join(), '--data-dir', data]
    // In a group of their own: Ctrl-C on the terminal is for the client, and for us.
    const child = spawn(process.execPath, args.map(String), { stdio: ['ignore', out, out], detached: true })
    closeSync(out)
    const server = { id, child, log, ended: false }
    server.exit = new Promise((answer) => {
      child.once('error', answer)
      child.once('exit', answer)
    }).then(() => {
      server.ended = true
    })
    this.servers.push(server)
  }

  /** Waits until all serve and follow one leader. */
  async #serving() {
    const store = connectKvstore({ servers: this.addresses, timeout: 1000 })
    const deadline = Date.now() + START_PATIENCE
    try {
      for (;;) {
        const ended = this.servers.find((server) => server.ended)
        if (ended !== undefined) throw new StartError(`server ${ended.id} ended\n\n${readFileSync(ended.log, 'utf8')}`)
        const all = await Promise.allSettled(this.addresses.map((address) => store.connection.status(address)))
        const leaders = all.map(({ value }) => (value?.role === 'forming' ? null : (value?.leader ?? null)))
        if (leaders.every((leader) => leader !== null && leader === leaders[0])) return
        if (Date.now() > deadline) {
          const logs = this.servers.map(({ id, log }) => `server ${id}:\n${readFileSync(log, 'utf8')}`)
          throw new StartError(`the servers do not serve after ${START_PATIENCE / 1000} s\n\n${logs.join('\n')}`)
        }
        await sleep(50)
      }
    } finally {
      await store.close()
    }
  }

  async stop() {
    for (const { child, ended } of this.servers) if (!ended) child.kill('SIGTERM')
    const all = Promise.all(this.servers.map((server) => server.exit))
    await Promise.race([all, sleep(STOP_PATIENCE, undefined, { ref: false })])
    for (const { child, ended } of this.servers) if (!ended) child.kill('SIGKILL')
    await all
    if (!this.kept) rmSync(this.directory, { recursive: true, force: true })
  }
}

/** Runs the client on our own terminal; answers with its exit code. */
let client
async function runClient(addresses, ...args) {
  client = spawn(process.execPath, [join(commands, 'kvstore-client.js'), '--servers', addresses.join(), ...args], {
    stdio: 'inherit',
  })
  return new Promise((answer, fail) => {
    client.once('error', fail)
    client.once('exit', (code) => answer(code ?? 1))
  })
}

function explain({ addresses, servers, directory, kept }) {
  const where = relative(process.cwd(), root)
  console.log(`
Three servers run, and keep the same data.
  talk to them  ${where === '' ? '' : `cd ${where} && `}npx kvstore-client --servers ${addresses.join()} status
  kill one      kill -9 ${servers[0].child.pid}    (pids of servers 0, 1, 2: ${servers.map(({ child }) => child.pid).join(', ')})
  data, logs    ${directory}${kept ? '' : ' (removed at the end; keep it with: npm start -- --keep DIR)'}
`)
}

async function main() {
  const { keep } = readArguments()
  const cluster = new Cluster(keep)
  let stopping
  const stop = () => (stopping ??= cluster.stop())
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ]) {
    process.on(signal, () => {
      client?.kill('SIGTERM')
      void stop().then(() => process.exit(128 + number))
    })
  }
  try {
    await cluster.start()
    await runClient(cluster.addresses, 'status')
    explain(cluster)
    return await runClient(cluster.addresses)
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    console.error(`npm start: ${error.message}`)
    return 1
  } finally {
    await stop()
  }
}

process.exitCode = await main()
