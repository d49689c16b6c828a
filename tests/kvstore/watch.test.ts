import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { connectKvstore, KvClient, type KvChange, type Pair } from '@synod/kvstore'
import { watch } from '@synod/kvstore/internal/cli/watch'
import { ClientError, FeedError } from '@synod/paxos'
import t, { type Test } from 'tap'
import { Cluster, COMMANDS, freePorts, until } from '../support/cluster.js'
import { kvClient } from '../support/command.js'

t.setTimeout(200_000)

/** So many values of 1 MiB are more than the servers keep events of. */
const FLOOD = 20

const cluster = await Cluster.start(t)
const store = connectKvstore({ servers: cluster.addresses, timeout: 60_000 })
t.teardown(() => store.close())

/** Takes so many changes. */
async function take(changes: AsyncIterable<KvChange>, count: number): Promise<KvChange[]> {
  const found: KvChange[] = []
  for await (const change of changes) if (found.push(change) === count) break
  return found
}

const short = ({ type, key }: KvChange): string => `${type} ${key}`

/** `kvstore-client watch`, until the test ends. */
class Watcher {
  stdout = ''
  stderr = ''
  readonly child: ChildProcess

  constructor(owner: Test, ...args: readonly string[]) {
    const script = join(COMMANDS, 'kvstore-client.js')
    const child = spawn(process.execPath, [script, '--servers', cluster.servers, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text))
    this.child = child
    owner.teardown(() => child.kill('SIGKILL'))
  }

  get lines(): string[] {
    return this.stdout.split('\n').slice(0, -1)
  }

  async says(what: string | RegExp): Promise<void> {
    const describe = (): string => this.stdout.slice(-500) + this.stderr
    const hasSaid = (text: string): boolean => (typeof what === 'string' ? text.includes(what) : what.test(text))
    await until(`it says ${String(what)}`, () => hasSaid(this.stdout + this.stderr), { describe })
  }
}

await t.test('a watch tells of every change of its keys, in order, and of nothing else', async (t) => {
  const changes = store.watch('w/')
  const from = await changes.started
  await store.set('w/a', '1')
  await store.set('other', '1')
  await store.get('w/a')
  await store.delete('w/none')
  await store.cas('w/a', 'wrong', '2')
  await store.cas('w/a', '1', '2')
  await store.delete('w/a')
  const found = await take(changes, 3)
  t.match(found, [
    { index: 0, type: 'set', key: 'w/a', value: '1' },
    { index: 0, type: 'set', key: 'w/a', value: '2' },
    { index: 0, type: 'delete', key: 'w/a' },
  ])
  t.ok((found[0]?.slot ?? 0) >= from)

  const again = await take(store.watch('w/', { from: (found[0]?.slot ?? 0) + 1 }), 2)
  t.strictSame(again, found.slice(1), 'another one goes on behind the first change')
  const all = await take(store.watch('', { from: 1 }), 4)
  t.strictSame(all.map(short), ['set w/a', 'set other', 'set w/a', 'delete w/a'])
})

await t.test('a watch that is closed ends for its reader, who gets no error', async (t) => {
  const changes = store.watch('closed/')
  await changes.started
  const reading = take(changes, 1)
  changes.close()
  t.strictSame(await reading, [])
})

await t.test('the state and the changes behind it make the whole, while others write', async (t) => {
  await store.set('mirror/stays', 'here')
  const writing = writer(store, 'mirror/', 8)
  await until('there are keys', () => writing.count > 200)
  const { slot, pairs, changes } = await store.watchState('mirror/')
  const mirror = new Map<string, string>()
  for await (const [key, value] of pairs) mirror.set(key, value)
  t.equal(mirror.get('mirror/stays'), 'here')
  await until('they write on', () => writing.count > 600)
  await writing.stop()
  const end = store.set('mirror/end', 'x')
  for await (const change of changes) {
    if (change.slot <= slot) t.fail(`slot ${change.slot} is in the state already`)
    if (change.key === 'mirror/end') break
    if (change.type === 'set') mirror.set(change.key, change.value)
    else if (!mirror.delete(change.key)) t.fail(`${change.key} was deleted, but is not there`)
  }
  await end
  await store.delete('mirror/end')
  const now: Pair[] = []
  for await (const pair of store.list('mirror/')) now.push(pair)
  t.strictSame(
    [...mirror].sort(([a], [b]) => (a < b ? -1 : 1)),
    now,
  )
})

await t.test('a state that the feeds have passed already is asked for anew, of the foremost server', async (t) => {
  for (const failures of [2, 3]) {
    const asked: string[] = []
    const from: unknown[] = []
    const connection: Pick<KvClient['connection'], 'status' | 'dump' | 'subscribe'> = {
      // Only what is looked at.
      status: (() =>
        Promise.resolve([
          { address: 'behind:1', status: { applied: 5 }, error: null },
          { address: 'foremost:1', status: { applied: 9 }, error: null },
          { address: 'dead:1', status: null, error: new ClientError('UNAVAILABLE', 'dead') },
        ])) as never,
      dump: async (address = '') => ({
        slot: 10 * asked.push(address),
        entries: Readable.from([['k', String(asked.length)]]),
      }),
      subscribe: (options) => {
        const isGone = from.push(options?.from) <= failures
        const started = isGone ? Promise.reject(new FeedError('COMPACTED', 'gone', 99)) : Promise.resolve(31)
        return {
          started,
          close: () => undefined,
          [Symbol.asyncIterator]: () => Readable.from([])[Symbol.asyncIterator](),
        }
      },
    }
    const client = new KvClient(connection as KvClient['connection'])
    if (failures === 3) await t.rejects(client.watchState(), { code: 'COMPACTED' }, 'not for ever')
    else {
      const { slot, pairs } = await client.watchState()
      t.equal(slot, 30)
      for await (const pair of pairs) t.strictSame(pair, ['k', '3'], 'the pairs of the same state')
    }
    t.strictSame(asked, ['foremost:1', 'foremost:1', 'foremost:1'])
    t.strictSame(from, [11, 21, 31])
  }
})

await t.test('watch prints a line for each change, and says on standard error where it begins', async (t) => {
  await store.set('cli/a b', 'before')
  await store.set('cli/z', '1')
  const plain = new Watcher(t, 'watch', 'cli/')
  const json = new Watcher(t, 'watch', 'cli/', '--json')
  const state = new Watcher(t, 'watch', '--state', 'cli/')
  const stateJson = new Watcher(t, '--json', 'watch', '--state', 'cli/')
  for (const watcher of [plain, state]) await watcher.says(/Changes of keys that begin with cli\/, from slot \d+ on:\n/)
  for (const watcher of [json, stateJson]) await watcher.says(/\{"watching":\{"prefix":"cli\/","from":\d+\}\}\n/)
  await store.set('cli/a b', 'x\ty')
  await store.set('clj', 'not wanted')
  await store.delete('cli/a b')
  await store.set('cli/end', '')
  for (const watcher of [plain, json, state, stateJson]) await watcher.says('cli/end')

  const changes = ['set\t"cli/a b"\t"x\\ty"', 'delete\t"cli/a b"', 'set\tcli/end\t""']
  t.strictSame(plain.lines, changes)
  t.strictSame(state.lines, ['set\t"cli/a b"\tbefore', 'set\tcli/z\t1', ...changes])
  t.match(state.stderr, /^2 pairs at slot \d+\.\n/)
  const parsed = json.lines.map((line) => JSON.parse(line) as KvChange)
  t.match(parsed, [
    { slot: Number, index: 0, type: 'set', key: 'cli/a b', value: 'x\ty' },
    { slot: Number, index: 0, type: 'delete', key: 'cli/a b' },
    { slot: Number, index: 0, type: 'set', key: 'cli/end', value: '' },
  ])
  const both = stateJson.lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  const { state: told } = JSON.parse(stateJson.stderr.split('\n')[0] ?? '') as {
    state: { slot: number; pairs: number }
  }
  t.equal(told.pairs, 2)
  t.strictSame(both.slice(0, 2), [
    { slot: told.slot, type: 'set', key: 'cli/a b', value: 'before' },
    { slot: told.slot, type: 'set', key: 'cli/z', value: '1' },
  ])
  t.strictSame(both.slice(2), parsed)

  const from = new Watcher(t, 'watch', 'cli/', '--from', String(parsed[1]?.slot))
  await from.says('cli/end')
  t.strictSame(from.lines, changes.slice(1), '--from begins with the changes of that slot')
})

await t.test('the death of its server does not end a watch: every change comes once, in order', async (t) => {
  const watcher = new Watcher(t, 'watch', 'kill/', '--json')
  await watcher.says('watching')
  const writing = writer(store, 'kill/', 4)
  const moves = (): RegExpMatchArray[] => [...watcher.stderr.matchAll(/"state":"connected","address":"([^"]+)"/g)]
  let killed = 0
  // Which server it is connected to is not known at first: one after the other is killed until it has moved twice.
  for (let id = 0; moves().length < 2; id = (id + 1) % 3) {
    const before = writing.count
    await cluster.kill(id)
    killed += 1
    await until('writers go on without it', () => writing.count > before + 50)
    cluster.startServer(id)
    await cluster.serving()
    if (killed > 12) throw new Error(`${killed} kills, and the watch did not notice:\n${watcher.stderr}`)
  }
  await writing.stop()
  await store.set('kill/end', '')
  await watcher.says('kill/end')
  const found = watcher.lines.map((line) => JSON.parse(line) as KvChange).slice(0, -1)
  t.comment(`${killed} kills, ${moves().length} moves, ${found.length} changes`)
  t.equal(found.length, writing.count, 'as many as were acknowledged')
  const slots = found.map(({ slot }) => slot)
  t.ok(
    slots.every((slot, at) => at === 0 || slot > (slots[at - 1] ?? 0)),
    'in the order of slots',
  )
  for (const [key, written] of writing.written) {
    t.strictSame(
      found.filter((change) => change.key === key).map((change) => (change.type === 'set' ? change.value : null)),
      written,
      key,
    )
  }
  t.match(watcher.stderr, /"state":"lost","reason":"/)
})

await t.test('it tells people when it moves to another server', async (t) => {
  const watcher = new Watcher(t, 'watch')
  await watcher.says('Changes of all keys, from slot')
  for (let id = 0; !watcher.stderr.includes('Connected to'); id = (id + 1) % 3) {
    await cluster.kill(id)
    cluster.startServer(id)
    await cluster.serving()
  }
  t.match(watcher.stderr, /\nConnection lost \([^\n]+\); looking for another server\.\nConnected to 127\.0\.0\.1:\d+; /)
})

await t.test('changes that the servers have dropped are told, with what to type, and the exit code 1', async (t) => {
  const before = store.watch()
  const first = await before.started
  before.close()
  const value = 'x'.repeat(1_048_576)
  for (let n = 0; n < FLOOD; n += 1) await store.set('flood', value)
  const { code, stdout, stderr } = await kvClient(['--servers', cluster.servers, 'watch', '--from', String(first)])
  t.equal(code, 1)
  t.equal(stdout, '')
  const [, slot = ''] =
    /^the changes before slot (\d+) are gone: go on with --from \1, or begin .* by --state\.\n$/.exec(stderr) ?? []
  t.ok(Number(slot) > first, stderr)
  const json = await kvClient(['--servers', cluster.servers, '--json', 'watch', '--from', String(first)])
  t.equal(json.code, 1)
  t.match(JSON.parse(json.stderr), { error: { code: 'COMPACTED', message: `before slot ${slot}` } })

  const went = new Watcher(t, 'watch', '--from', slot, '--json')
  await until('it goes on', () => went.lines.length > 10)
  t.match(JSON.parse(went.lines[0] ?? ''), { slot: Number(slot), key: 'flood' })
  await store.delete('flood')
})

await t.test('whoever reads too slowly is told, and where to go on', async (t) => {
  const watcher = new Watcher(t, 'watch', 'slow')
  await watcher.says('from slot')
  watcher.child.stdout?.pause()
  const value = 'y'.repeat(1_048_576)
  for (let n = 0; n < 2 * FLOOD; n += 1) await store.set('slow', value)
  watcher.child.stdout?.resume()
  const [code] = (await once(watcher.child, 'close')) as [number]
  t.equal(code, 1)
  t.match(
    watcher.stderr,
    /\nthe changes before slot (\d+) are gone, because the output was read too slowly, or it was cut off for too long: go on with --from \1, /,
  )
  t.ok(watcher.lines.length > 0 && watcher.lines.length < 2 * FLOOD, `${watcher.lines.length} changes came before`)
  await store.delete('slow')
})

await t.test('Ctrl-C in the prompt ends a watch, whether it has begun or waits for a cluster', async (t) => {
  const [nowhere = 0] = await freePorts(1)
  const feeds = async (): Promise<number> => {
    const answers = await store.connection.status()
    return answers.reduce((sum, { status }) => sum + (status?.feeds ?? 0), 0)
  }
  const before = await feeds()
  for (const servers of [cluster.addresses, [`127.0.0.1:${nowhere}`]]) {
    const controller = new AbortController()
    const { signal } = controller
    const timeouts = { timeout: 30_000, givenTimeout: undefined }
    const watching = watch({ store, servers, ...timeouts, json: true, inputTaken: true, signal }, 'nothing/', {})
    if (servers === cluster.addresses) await until('it has begun', async () => (await feeds()) > before)
    controller.abort()
    t.equal(await watching, 0)
  }
  await until('the servers know of no feed more', async () => (await feeds()) === before)
})

await t.test(
  'a watch that cannot begin says so: 2 for what makes no sense, 3 for a cluster out of reach',
  async (t) => {
    const servers = ['--servers', cluster.servers]
    t.match(await kvClient([...servers, 'watch', '--from', '-3']), { code: 2, stderr: /--from <slot>.*whole number/ })
    t.match(await kvClient([...servers, 'watch', '--from', '3', '--state']), { code: 2, stderr: /cannot be used with/ })
    const [port = 0] = await freePorts(1)
    for (const option of [[], ['--state']]) {
      const outcome = await kvClient(['--servers', `127.0.0.1:${port}`, '--timeout', '700', 'watch', ...option])
      t.match(outcome, { code: 3, stdout: '', stderr: /^kvstore-client: [^\n]+\n$/ })
      t.match(outcome.stderr, `127.0.0.1:${port}`)
    }
  },
)

/** Clients that write side by side, each one change of its own key after the other: what they wrote, as it was acknowledged. */
function writer(
  through: KvClient,
  prefix: string,
  keys: number,
): { readonly count: number; readonly written: Map<string, (string | null)[]>; stop(): Promise<void> } {
  const written = new Map<string, (string | null)[]>()
  const now = { count: 0, stopped: false }
  const write = async (key: string): Promise<void> => {
    const values: (string | null)[] = []
    written.set(key, values)
    while (!now.stopped) {
      const value = values.length % 5 === 4 ? null : `${key} ${values.length}`
      await (value === null ? through.delete(key) : through.set(key, value))
      values.push(value)
      now.count += 1
    }
  }
  const ended = Promise.all(Array.from({ length: keys }, (_, n) => write(`${prefix}${n}`)))
  ended.catch(() => undefined) // told by stop()
  return {
    get count() {
      return now.count
    },
    written,
    stop: async () => {
      now.stopped = true
      await ended
    },
  }
}
