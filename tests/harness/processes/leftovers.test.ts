/** Nothing is left behind: no process, no port, no directory; however a run ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { until } from '../../support/cluster.js'
import { leaderOf, start } from './worlds.js'

t.setTimeout(60_000)

const LITTLE_HARNESS = fileURLToPath(new URL('./little-harness.js', import.meta.url))

/** What one process's servers are, by what their command lines say. */
interface Servers {
  readonly pids: number[]
  readonly directories: string[]
  /** Of the servers, and of the proxies. */
  readonly ports: number[]
}

/** The servers that this process started. */
function serversOf(parent: number): Servers {
  const found: Servers = { pids: [], directories: [], ports: [] }
  for (const name of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const [, ppid] = /\) \w (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8')) ?? []
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0')
      const after = (flag: string): string => words[words.indexOf(flag) + 1] ?? ''
      if (Number(ppid) !== parent || !words.includes('--data-dir')) continue
      found.pids.push(Number(name))
      found.directories.push(after('--data-dir'))
      found.ports.push(...after('--peers').split(',').map((address) => Number(address.replace(/^.*:/, '')))) // prettier-ignore
    } catch {
      // It has just ended.
    }
  }
  return found
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer().once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}

async function isGone({ pids, directories, ports }: Servers): Promise<boolean> {
  if (pids.some((pid) => existsSync(`/proc/${pid}`)) || directories.some(existsSync)) return false
  return (await Promise.all(ports.map(isFree))).every((free) => free)
}

t.test('after close nothing is left, also of a server that was paused', async (t) => {
  const world = await start(t)
  await leaderOf(world, [0, 1, 2])
  await world.server(1).pause()
  const servers = serversOf(process.pid)
  t.equal(servers.pids.length, 3)
  t.equal(new Set(servers.ports).size, 9, 'three servers, and six proxies')
  t.ok(servers.directories.every(existsSync))
  t.notOk(await isGone(servers))
  await world.close()
  t.ok(await isGone(servers))
})

for (const end of ['SIGKILL', 'SIGTERM', 'an error'] as const) {
  t.test(`after a harness that ends by ${end} nothing is left`, async (t) => {
    const harness = spawn(process.execPath, [LITTLE_HARNESS], { stdio: ['pipe', 'pipe', 'ignore'] })
    const ended = once(harness, 'exit')
    t.teardown(() => harness.kill('SIGKILL'))
    let servers: Servers = { pids: [], directories: [], ports: [] }
    harness.stdout.once('data', () => {
      servers = serversOf(harness.pid ?? 0)
      if (end === 'an error') harness.stdin.write('now')
      else harness.kill(end)
    })
    await ended
    t.equal(servers.pids.length, 3)
    await until('nothing is left', () => isGone(servers))
  })
}
