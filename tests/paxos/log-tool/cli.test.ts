/** `synod-log` as it is typed in: what it prints, and how it ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FORMAT_VERSION } from '@synod/paxos/internal/storage/file-header'
import t from 'tap'
import { run } from '../../support/command.js'
import { dataDirectory, ENTRIES, LAST_SLOT, SNAPSHOT_SLOT } from './data-directory.js'
import { accept, CLUSTER, directoryOf, flipped, MadeFile } from './log-files.js'

t.setTimeout(180_000)

const TOOL = fileURLToPath(new URL('../bin/synod-log.js', import.meta.resolve('@synod/paxos')))
const SNAPSHOT = `snapshot-${SNAPSHOT_SLOT}.paxos`

function synodLog(...args: string[]): ReturnType<typeof run> {
  return run(TOOL, args)
}

/** What was printed, as the lines of JSON that it is. */
function jsonLines(stdout: string): unknown[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
}

function logFiles(directory: string): string[] {
  return readdirSync(directory).filter((name) => /^\d{8}\.paxos$/.test(name))
}

t.test('inspect tells whose the directory is, what is in its files, and where each byte is', async (t) => {
  const directory = await dataDirectory(t)
  const people = await synodLog('inspect', directory)
  t.strictSame([people.code, people.stderr], [0, ''])
  for (const part of [
    `server 1 of 3 of the service "kvstore", cluster ${CLUSTER}, format ${FORMAT_VERSION}`,
    'formed; server 2 in life 2',
    `collected through slot ${SNAPSHOT_SLOT}, then decided below 41 at ballot 2.1`,
    /│ accept +│ +\d+ │ +\d+ │/,
    `${SNAPSHOT}: through slot 40, `,
    '1 session (',
    '3,000 entries of the state (',
    'No damage.',
  ]) {
    t.match(people.stdout, part)
  }
  const programs = await synodLog('inspect', directory, '--json')
  const [found] = jsonLines(programs.stdout) as [Inspected]
  t.match(found, { formation: 'formed', lives: [0, 0, 2], base: { collected: 40 }, damages: [], damageCount: 0 })
  t.match(found.snapshots, [{ file: SNAPSHOT, slot: 40, maker: 1, clusterId: CLUSTER, damage: null }])
  t.match(found.snapshots[0]?.sections, { head: { chunks: 1 }, sessions: { entries: 1 }, events: { entries: 1 } })
  t.equal(found.snapshots[0]?.sections.state.entries, ENTRIES.length)
  t.strictSame(
    found.files.map(({ file }) => file),
    logFiles(directory),
  )
  t.ok(found.files.length > 1 && found.files[0]?.file !== '00000001.paxos', 'some of it is collected')
  for (const { file, size, bytes } of found.files) {
    t.equal(readFileSync(join(directory, file)).length, size)
    t.equal(
      Object.values(bytes).reduce((sum, part) => sum + part, 0),
      size,
      `each byte of ${file} is told of`,
    )
  }
  t.equal(found.files.findLast(({ slots }) => slots !== null)?.slots?.[1], LAST_SLOT)
})

interface Inspected {
  readonly files: readonly {
    readonly file: string
    readonly size: number
    readonly slots: readonly [number, number] | null
    readonly bytes: Readonly<Record<string, number>>
  }[]
  readonly snapshots: readonly { readonly sections: { readonly state: { readonly entries: number } } }[]
}

t.test('verify ends with 0 for what is whole: directories, snapshots, copies of them', async (t) => {
  const directory = await dataDirectory(t)
  const copy = join(directory, '../', `copy-${process.pid}.paxos`)
  copyFileSync(join(directory, SNAPSHOT), copy)
  t.teardown(() => {
    rmSync(copy)
  })
  const { code, stdout, stderr } = await synodLog('verify', directory, copy)
  t.strictSame([code, stderr], [0, ''])
  t.match(stdout, `${directory}: whole: ${logFiles(directory).length} log files, `)
  t.match(stdout, `${copy}: whole: a snapshot through slot 40, `)
  const programs = await synodLog('verify', directory, copy, '--json')
  t.match(jsonLines(programs.stdout), [
    { path: directory, whole: true, advice: null },
    { path: copy, whole: true },
  ])
})

t.test('verify ends with 1 for damage in the log, says what it hit, and what to type', async (t) => {
  const directory = await dataDirectory(t)
  const name = logFiles(directory).at(-2) ?? ''
  const bytes = readFileSync(join(directory, name))
  writeFileSync(join(directory, name), flipped(bytes, 600))
  const { code, stdout, stderr } = await synodLog('verify', directory)
  t.strictSame([code, stderr], [1, ''])
  t.match(stdout, /: DAMAGED: /)
  t.match(stdout, /, byte \d+: record 1 of 1 of batch \d+ \(accept, slot \d+\) does not fit its checksum/)
  t.match(stdout, `To do: stop the server if it runs, and start it as always with --repair added`)
  t.match(stdout, `(kvstore-server --id 1 … --data-dir ${directory} --repair)`)
  const [found] = jsonLines((await synodLog('verify', directory, '--json')).stdout)
  t.match(found, {
    whole: false,
    damageCount: 1,
    damages: [{ code: 'CORRUPT', file: name, record: { kind: 'accept' } }],
  })
  const dumped = await synodLog('dump', directory)
  t.equal(dumped.code, 1)
  t.match(dumped.stderr, /^synod-log: .* does not fit its checksum\n$/)
  t.match(dumped.stdout, `slot ${LAST_SLOT} op`, 'what is behind the damage is printed')
  t.match((await synodLog('inspect', directory)).stdout, /\nDamage: \d+\.paxos, byte \d+: record 1 of 1/)
})

t.test(
  'verify finds damage in a snapshot, and one that is not there; the log alone is no reason to repair',
  async (t) => {
    const directory = await dataDirectory(t)
    const path = join(directory, SNAPSHOT)
    const whole = readFileSync(path)
    const places = [3, 40, 600, Math.floor(whole.length / 2), whole.length - 5]
    for (const place of places) {
      writeFileSync(path, flipped(whole, place))
      const { code, stdout } = await synodLog('verify', directory)
      t.equal(code, 1, `byte ${place}`)
      t.match(stdout, new RegExp(`${SNAPSHOT}, byte \\d+: `))
      t.match(stdout, 'To do: nothing, while the other servers run')
      t.equal((await synodLog('verify', path)).code, 1)
    }
    writeFileSync(path, whole.subarray(0, 5000))
    t.match((await synodLog('verify', directory)).stdout, /the snapshot is 5000 bytes long, and should be \d+/)
    rmSync(path)
    t.match(
      (await synodLog('verify', directory)).stdout,
      `${SNAPSHOT}: the snapshot is missing, and the log through slot 40 is`,
    )
  },
)

t.test('a torn write at the end is whole, and said; so is what a repair set aside', async (t) => {
  const file = new MadeFile(1).add({ type: 'formed' }).add(accept(1, 'a'))
  const last = file.records.at(-1)?.at ?? 0
  const directory = directoryOf(t, {
    [file.name]: flipped(file.bytes(), last),
    '00000001.paxos.damaged': Buffer.alloc(10),
    'snapshot-9.paxos.part': Buffer.alloc(10),
  })
  const { code, stdout } = await synodLog('verify', directory)
  t.equal(code, 0)
  t.match(stdout, /00000001\.paxos, byte \d+: ends in a write that was torn off, or is under way/)
  const inspected = (await synodLog('inspect', directory)).stdout
  t.match(inspected, '00000001.paxos.damaged: set aside by a repair; may be removed, 10 bytes')
  t.match(inspected, 'snapshot-9.paxos.part: a snapshot that is being received, 10 bytes')
  renameSync(join(directory, file.name), join(directory, `${file.name}.damaged`))
  t.match(await synodLog('verify', directory), {
    code: 1,
    stdout: /the log is missing, and .* says that there was one/,
  })
})

t.test('a cluster of one server is told that there is no other copy', async (t) => {
  const file = new MadeFile(1, 0, { owner: { service: 'kvstore', id: 0, count: 1 } }).add({ type: 'formed' }).add()
  const directory = directoryOf(t, { [file.name]: flipped(file.bytes(), 600) })
  const { code, stdout } = await synodLog('verify', directory)
  t.equal(code, 0, 'a byte of padding')
  writeFileSync(join(directory, file.name), flipped(file.bytes(), file.records[0]?.at ?? 0))
  t.match((await synodLog('verify', directory)).stdout, 'a cluster of one server has no other copy')
  t.notMatch(stdout, 'To do')
})

t.test('dump prints the records, or those of some slots, with their operations', async (t) => {
  const directory = await dataDirectory(t)
  const { code, stdout, stderr } = await synodLog('dump', directory, '--from', '42', '--to', '43')
  t.strictSame([code, stderr], [0, ''])
  const lines = stdout.trimEnd().split('\n')
  t.equal(lines.length, 4)
  t.match(lines[0], /^\d{8}\.paxos:\d+ batch \d+ accept 2\.1 slot 42$/)
  t.match(lines[1], /^ {2}slot 42 op 1-abc 1 \(acked 0\) \{"type":"set","key":"key-42","value":"x+"\}$/)
  const all = jsonLines((await synodLog('dump', directory, '--json')).stdout) as {
    type: string
    commands?: unknown[]
  }[]
  const kinds = new Set(all.map(({ type }) => type))
  t.strictSame([...kinds].sort(), ['accept', 'base', 'formed', 'lives', 'next', 'seal'])
  t.match(all.find(({ type }) => type === 'accept')?.commands, [{ kind: 'op', clientId: '1-abc', op: { type: 'set' } }])
  const one = await synodLog('dump', join(directory, logFiles(directory)[0] ?? ''), '--json', '--to', '41')
  t.ok(jsonLines(one.stdout).length > 0, 'one file alone')
})

t.test('dump of a snapshot prints its head, sessions, events and entries', async (t) => {
  const directory = await dataDirectory(t)
  const path = join(directory, SNAPSHOT)
  const { code, stdout } = await synodLog('dump', path)
  t.equal(code, 0)
  const lines = stdout.trimEnd().split('\n')
  t.match(
    lines[0],
    `snapshot through slot 40 at ballot 2.1, chain 0123456789abcdef, made by server 1 of 3 of the service`,
  )
  t.match(lines[1], 'session 1.0123456789abcdef (acked 38) [{"localId":39,"status":"ok","value":{"existed":false}}]')
  t.strictSame(lines.slice(2, 4), [
    'events from slot 38 on',
    String.raw`events of slot 39 [{"type":"delete","key":"\u202ekey"}]`,
  ])
  t.equal(lines[4], `entry ${JSON.stringify(ENTRIES[0])}`)
  const all = jsonLines((await synodLog('dump', path, '--json')).stdout) as { section: string; entry?: unknown }[]
  t.strictSame(
    all.flatMap(({ section, entry }) => (section === 'state' ? [entry] : [])),
    ENTRIES,
  )
  const whole = readFileSync(path)
  writeFileSync(path, flipped(whole, whole.length - 100))
  const damaged = await synodLog('dump', path)
  t.equal(damaged.code, 1)
  t.match(
    damaged.stderr,
    /^synod-log: snapshot-40\.paxos, byte \d+: the snapshot is damaged, behind \d+ whole chunks\n$/,
  )
})

t.test('what makes no sense is refused in one sentence, with exit code 2', async (t) => {
  const directory = await dataDirectory(t)
  const empty = join(directory, 'empty')
  mkdirSync(empty)
  const path = join(directory, SNAPSHOT)
  const refusals: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /^Usage: synod-log/],
    [['verify'], /^synod-log: missing required argument 'path'\n$/],
    [['verfy', directory], /^synod-log: unknown command 'verfy'; did you mean verify\?\n$/],
    [['verify', join(directory, 'nowhere')], /^synod-log: there is no .*nowhere\n$/],
    [['verify', empty], /^synod-log: there is no log in .*empty\n$/],
    [['dump', empty], /^synod-log: there is no log in .*empty\n$/],
    [['verify', join(directory, logFiles(directory)[0] ?? '')], /is one file of a log: verify its directory\n$/],
    [['dump', directory, '--from', 'x'], /^synod-log: option '--from <slot>' .* It must be a whole number\.\n$/],
    [['dump', directory, '--from', '7', '--to', '6'], /^synod-log: --from 7 is behind --to 6\n$/],
    [['dump', path, '--from', '7'], /^synod-log: a snapshot has entries, not slots: leave --from and --to out\n$/],
    [['verify', '/dev/null'], /^synod-log: \/dev\/null is neither a directory nor a file\n$/],
  ]
  for (const [args, sentence] of refusals) {
    const { code, stdout, stderr } = await synodLog(...args)
    t.strictSame([code, stdout], [2, ''], args[0] ?? 'nothing')
    t.match(stderr, sentence)
  }
  const json = await synodLog('verify', join(directory, 'nowhere'), '--json')
  t.match(JSON.parse(json.stderr), { error: { code: 'USAGE', message: /^there is no / } })
  t.match(await synodLog('--help'), { code: 0, stdout: /Exit codes: 0 whole/ })
  t.match(await synodLog('--version'), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/ })
})

t.test('a reader that goes away is no error', async (t) => {
  const directory = await dataDirectory(t)
  const child = spawn(process.execPath, [TOOL, 'dump', directory, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] })
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (complaints += text))
  child.stdout.once('data', () => {
    child.stdout.destroy()
  })
  const [code] = (await once(child, 'close')) as [number | null]
  t.strictSame([code, complaints], [0, ''])
})
