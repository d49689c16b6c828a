/** Three real servers under one strace, and what their trace tells the ledger. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { COMMANDS } from '../support/cluster.js'
import type { Cluster } from '../support/cluster.js'
import type { Ledger } from './ledger.js'
import type { Call } from './trace.js'
import { Accepted, buffersOf, CALLS, callsOf, descriptorOf } from './trace.js'

/** Longer than anything that is written at once here, but for the room that is reserved. */
const SHOWN_BYTES = 1 << 16

/** Starts the servers behind it, and ends them when its input ends. */
const SHELL = `pids=; i=0
while [ $i -lt $COUNT ]; do
  "$@" --id $i --peers $PEERS --data-dir "$DIRECTORY/server-$i" & pids="$pids $!"; i=$((i + 1))
done
read line; kill $pids; wait`

export interface Traced {
  /** Ends the servers and resolves when the trace is written. */
  end(): Promise<void>
}

/** As this process is run: a mutant in it is in the servers, too. */
export function startTraced(owner: { teardown(work: () => void): void }, cluster: Cluster, file: string): Traced {
  const flags = ['-f', '--seccomp-bpf', '-qqq', '-y', '-xx', '-s', `${SHOWN_BYTES}`, '-e', `trace=${CALLS}`, '-o', file]
  const server = [process.execPath, ...process.execArgv, join(COMMANDS, 'kvstore-server.js')]
  const { servers: PEERS, directory: DIRECTORY, addresses } = cluster
  const child = spawn('strace', [...flags, 'sh', '-c', SHELL, 'sh', ...server], {
    stdio: ['pipe', 'ignore', 'inherit'],
    detached: true, // a group of its own, which ends as a whole
    env: { ...process.env, COUNT: `${addresses.length}`, PEERS, DIRECTORY },
  })
  const { pid } = child
  const closed = once(child, 'close')
  child.stdin.on('error', () => undefined)
  owner.teardown(() => {
    if (pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-pid, 'SIGKILL')
  })
  return {
    async end() {
      child.stdin.end('\n')
      await closed
    },
  }
}

/** Tells the ledger what became durable, and what left, in the order of the trace. */
export async function readTrace(file: string, directory: string, ledger: Ledger): Promise<void> {
  const reader = new TraceReader(directory, ledger)
  const lines: string[] = []
  for await (const line of createInterface(createReadStream(file))) lines.push(line)
  for (const call of callsOf(lines)) reader.take(call)
}

class TraceReader {
  readonly #home: string
  readonly #ledger: Ledger
  readonly #connections = new Map<string, Accepted>()
  /** Of the open files of a server: whether each write to them is synchronous, and what is not durable yet. */
  readonly #files = new Map<string, { readonly isSynchronous: boolean; pending: Buffer[]; syncing: Buffer[] }>()

  constructor(directory: string, ledger: Ledger) {
    this.#home = join(directory, 'server-')
    this.#ledger = ledger
  }

  take(call: Call): void {
    if (call.name === 'openat') return this.#opened(call)
    const { number, path } = descriptorOf(call.arguments)
    if (path.startsWith('socket:')) return this.#socket(path, call)
    if (!path.startsWith(this.#home)) return
    const server = this.#serverOf(path)
    const open = this.#files.get(`${server} ${number}`)
    if (open === undefined) return // a directory, or the lock
    if (call.name.endsWith('sync')) this.#synced(server, open, call)
    else if (call.result !== null) this.#written(server, open, call)
  }

  #serverOf(path: string): number {
    return Number.parseInt(path.slice(this.#home.length))
  }

  #opened({ arguments: text, result }: Call): void {
    const { number, path } = descriptorOf(result ?? '')
    if (!path.startsWith(this.#home) || number < 0) return
    const isSynchronous = text.includes('O_DSYNC') || text.includes('O_SYNC')
    this.#files.set(`${this.#serverOf(path)} ${number}`, { isSynchronous, pending: [], syncing: [] })
  }

  #written(
    server: number,
    open: { isSynchronous: boolean; pending: Buffer[] },
    { arguments: text, result }: Call,
  ): void {
    const shown = text.includes('"...') ? Buffer.alloc(0) : buffersOf(text) // what is cut off is room, of zeros
    const bytes = shown.subarray(0, Math.max(0, Number(result)))
    if (open.isSynchronous) this.#ledger.durable(server, bytes)
    else open.pending.push(bytes)
  }

  #synced(server: number, open: { pending: Buffer[]; syncing: Buffer[] }, { result }: Call): void {
    if (result === null) {
      open.syncing = open.pending
      open.pending = []
    } else if (result === '0') {
      for (const bytes of open.syncing) this.#ledger.durable(server, bytes)
    }
  }

  /** What is written leaves when the call begins, at the earliest. */
  #socket(path: string, { arguments: text, result }: Call): void {
    const bytes = buffersOf(text)
    if (result !== null) {
      if (Number(result) !== bytes.length) throw new Error('a server wrote to a connection in parts')
      return
    }
    const connection = this.#connections.get(path) ?? new Accepted()
    this.#connections.set(path, connection)
    for (const frame of connection.frames(bytes)) this.#ledger.leaves(frame)
  }
}
