/** etcd's own client, in Go, as the generator of a load on etcd. */
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'
import { ZIPF } from '../keys.js'
import type { LoadResult } from '../load.js'
import type { Row, RunOptions } from '../run.js'
import { meter, rowOf, WARM_UP } from '../run.js'
import type { EtcdSystem } from './system.js'
import { isInstalled } from './system.js'

const SOURCE = fileURLToPath(new URL('../../../bench/etcd-load.go', import.meta.url))
/** Where Debian has the sources of etcd's client. */
const GOPATH = '/usr/share/gocode'
/** Why {@link goLoader} gives none. */
export const NO_GO =
  "etcd's own client is not measured: it needs Debian's golang-go and golang-etcd-server-dev (apt-get install both)."

const RESULT: z.ZodType<LoadResult> = z.object({
  operations: z.number(),
  rate: z.number(),
  seconds: z.number(),
  mean: z.number(),
  p50: z.number(),
  p90: z.number(),
  p99: z.number(),
  p999: z.number(),
  max: z.number(),
  failures: z.record(z.string(), z.number()),
  late: z.number(),
})

/** The program, built if this version of it was not yet; undefined where it cannot be built. */
export async function goLoader(say: (line: string) => void): Promise<string | undefined> {
  if (!isInstalled('go') || !existsSync(join(GOPATH, 'src/go.etcd.io/etcd/clientv3'))) return undefined
  const hash = createHash('sha256').update(readFileSync(SOURCE)).digest('hex').slice(0, 16)
  const directory = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'synod-bench')
  const program = join(directory, `etcd-load-${hash}`)
  if (existsSync(program)) return program
  say("the load generator of etcd's own client is built, once")
  mkdirSync(directory, { recursive: true })
  const built = `${program}.${process.pid}`
  const env = { ...process.env, GO111MODULE: 'off', GOPATH }
  await promisify(execFile)('go', ['build', '-o', built, SOURCE], { env })
  renameSync(built, program)
  return program
}

/** A run by the program; see `run`. */
export async function goRun(program: string, system: EtcdSystem, options: RunOptions): Promise<Row> {
  const child = spawn(program, flagsOf(await system.endpoint(), options), { stdio: ['pipe', 'pipe', 'inherit'] })
  const gone = once(child, 'exit')
  child.stdin.on('error', () => undefined)
  try {
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    const next = async (): Promise<string> => {
      const line = await lines.next()
      if (line.done === true) throw new Error('the load generator in Go has ended')
      return line.value
    }
    await next() // it is warm
    const spent = await meter(system, child.pid ?? 0)
    child.stdin.write('\n')
    await next() // the load is over
    const cost = await spent()
    child.stdin.write('\n')
    return rowOf(system, 'go', options, RESULT.parse(JSON.parse(await next())), cost)
  } finally {
    child.stdin.end()
    child.kill()
    await gone
  }
}

function flagsOf(endpoint: string, options: RunOptions): string[] {
  const { mix = { read: 0, write: 1, cas: 0 }, seconds, rate = 0 } = options
  const flags = {
    endpoint,
    connections: options.connections,
    clients: options.clients,
    seconds,
    'warm-up': seconds * WARM_UP,
    'value-size': options.valueSize,
    keys: options.keys,
    mix: `${mix.read}:${mix.write}:${mix.cas}`,
    zipf: options.distribution === 'zipf' ? ZIPF : 0,
    rate,
  }
  return Object.entries(flags).map(([flag, value]) => `-${flag}=${value}`)
}
