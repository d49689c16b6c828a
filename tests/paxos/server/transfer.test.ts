import type { Piece } from '@synod/paxos/internal/protocol/message'
import { PIECE_BYTES } from '@synod/paxos/internal/server/sender'
import { encodeHead } from '@synod/paxos/internal/server/snapshot-codec'
import t from 'tap'
import { coreAt } from './snapshots-support.js'
import { entriesOf, RESEND, World } from './transfer-support.js'
import type { Node, Transferred } from './transfer-support.js'

const BYTES = 3 << 20

/** Whether the whole state of a snapshot is there. */
function holds(node: Node, slot: number, bytes = BYTES): boolean {
  return node.holder.entries.join() === entriesOf(slot, bytes).join()
}

/** Damages a byte. */
function flip({ bytes }: Piece, at: number): void {
  bytes[at] = (bytes[at] ?? 0) ^ 1
}

t.test('a snapshot is fetched piece by piece, and installed', async (t) => {
  const world = new World(3)
  const info = await world.node(1).save(100, BYTES)
  const to = world.node(0)
  to.receiver.fetch(1)
  t.equal(to.receiver.status, null)
  await world.until(() => to.receiver.status !== null && to.receiver.status.received > 0, 1_000)
  t.match(to.receiver.status, { from: 1, received: PIECE_BYTES, bytes: info.size })
  t.ok(await world.until(() => to.installed.length > 0, 10_000))
  t.same(to.installed, [info])
  t.ok(holds(to, 100))
  t.same(to.directory.newest?.info, info)
  t.equal(to.receiver.status, null)
  t.equal(to.held, 0)
  t.equal(world.bytesTo(0), info.size, 'each byte came once')
  t.equal(world.node(1).mostReading, 1)
})

t.test('one that is named again and again is fetched once', async (t) => {
  const world = new World(3)
  const info = await world.node(1).save(100, BYTES)
  await world.node(2).save(100, BYTES)
  const to = world.node(0)
  for (let at = 0; at < 20; at++) {
    to.receiver.fetch(1 + (at % 2))
    await world.pass(1)
  }
  t.ok(await world.until(() => to.installed.length > 0, 10_000))
  t.equal(world.bytesTo(0), info.size)
})

t.test('a peer that has none yet is asked again', async (t) => {
  const world = new World(2)
  const to = world.node(0)
  to.receiver.fetch(1)
  await world.pass(700)
  t.match(world.sent[1]?.message, { type: 'piece', size: 0 })
  await world.node(1).save(100, BYTES)
  t.ok(await world.until(() => to.installed.length > 0, 10_000))
})

t.test('a silent peer is left after a while, or for another one', async (t) => {
  const world = new World(3)
  await world.node(2).save(100, BYTES)
  const to = world.node(0)
  world.node(1).crash()
  to.receiver.fetch(1)
  await world.pass(RESEND + 1)
  to.receiver.fetch(2)
  t.ok(await world.until(() => to.installed.length > 0, 10_000))

  const other = new World(2)
  other.node(1).crash()
  other.node(0).receiver.fetch(1)
  await other.pass(100_000)
  t.equal(other.sent.length, 5, 'asked so often, no more')
})

t.test('after a crash of the receiver it goes on where it was', async (t) => {
  const world = new World(3)
  const info = await world.node(1).save(100, BYTES)
  const to = world.node(0)
  to.receiver.fetch(1)
  await world.until(() => (to.receiver.status?.received ?? 0) > BYTES / 2, 10_000)
  to.crash()
  await world.pass(100)
  to.start()
  to.receiver.fetch(1)
  t.ok(await world.until(() => to.installed.length > 0, 10_000))
  t.ok(world.bytesTo(0) <= info.size + PIECE_BYTES)
  t.ok(holds(to, 100))
})

t.test('it goes on with the very file that it has a part of, whoever has it', async (t) => {
  const world = new World(4)
  const info = await world.node(1).save(100, BYTES)
  await world.node(2).save(200, BYTES)
  const [to, copy] = [world.node(0), world.node(3)]
  copy.receiver.fetch(1)
  to.receiver.fetch(1)
  await world.until(() => (to.receiver.status?.received ?? 0) > BYTES / 2, 10_000)
  to.crash()
  await world.until(() => copy.installed.length > 0, 10_000)
  world.node(1).crash()
  to.start()
  to.receiver.fetch(2)
  t.ok(await world.until(() => to.installed.length > 0, 60_000))
  t.same(to.installed, [info])
  const again = world.sent.filter(({ from, to }) => from === 3 && to === 0)
  t.ok(again.length > 0)
  t.ok(again.length < BYTES / PIECE_BYTES)
})

t.test('what nobody has any more is begun anew', async (t) => {
  const world = new World(3)
  await world.node(1).save(100, BYTES)
  const to = world.node(0)
  to.receiver.fetch(1)
  await world.until(() => (to.receiver.status?.received ?? 0) > BYTES / 2, 10_000)
  const newer = await world.node(1).save(200, BYTES)
  world.node(1).crash()
  world.node(1).start()
  t.ok(await world.until(() => to.installed.length > 0, 60_000))
  t.same(to.installed, [newer])
  t.ok(holds(to, 200))
})

t.test(
  'when the server that had a file is gone for good, another one is fetched, however often its owner is named',
  async (t) => {
    const world = new World(3)
    await world.node(1).save(100, BYTES)
    const other = await world.node(2).save(120, BYTES)
    const to = world.node(0)
    to.receiver.fetch(1)
    await world.until(() => (to.receiver.status?.received ?? 0) > BYTES / 2, 10_000)
    world.node(1).crash()
    for (let passed = 0; passed < 60_000 && to.installed.length === 0; passed += RESEND) {
      await world.pass(RESEND)
      to.receiver.fetch(2) // as the core does, which is told by that one that it is too far behind
    }
    t.same(to.installed, [other])
  },
)

t.test('a file that was begun is given to its end, though there is a newer one', async (t) => {
  const world = new World(2)
  const info = await world.node(1).save(100, BYTES)
  const to = world.node(0)
  to.receiver.fetch(1)
  await world.until(() => (to.receiver.status?.received ?? 0) > BYTES / 2, 10_000)
  await world.node(1).save(200, BYTES)
  t.ok(await world.until(() => to.installed.length > 0, 10_000))
  t.same(to.installed, [info])
})

t.test('a snapshot of no use is neither fetched nor installed', async (t) => {
  const world = new World(2)
  await world.node(1).save(100, BYTES)
  const to = world.node(0)
  to.applied = 100
  to.receiver.fetch(1)
  await world.pass(60_000)
  t.equal(to.receiver.status, null)

  to.applied = 99
  to.receiver.fetch(1)
  await world.until(() => (to.receiver.status?.received ?? 0) > 0, 10_000)
  to.applied = 150
  await world.until(() => to.receiver.status === null, 10_000)
  t.strictSame(to.installed, [], 'it was caught up with while it came')
})

t.test('a peer that sends nonsense is left alone for a while, with a warning', async (t) => {
  const good: Piece = {
    type: 'piece',
    slot: 100,
    id: 'ab'.repeat(16),
    maker: 1,
    size: 1_000_000,
    offset: 0,
    bytes: new Uint8Array(1_000),
  }
  const cases: Record<string, readonly Piece[]> = {
    'no bytes': [{ ...good, bytes: new Uint8Array(0) }],
    'more bytes than there are': [{ ...good, size: 999 }],
    'a maker that is none': [{ ...good, maker: 2 }],
    'another size of the same file': [good, { ...good, offset: 1_000, size: 2_000_000 }],
    'another slot of the same file': [good, { ...good, offset: 1_000, slot: 101 }],
  }
  for (const [name, pieces] of Object.entries(cases)) {
    const world = new World(2)
    world.node(1).crash()
    const to = world.node(0)
    to.receiver.fetch(1)
    for (const piece of pieces) {
      to.take(1, piece)
      await world.pass(10)
    }
    t.match(to.warnings, [/^server 1 s.* it is not asked for 10 s$/], name)
    t.equal(to.receiver.status, null)
    const asked = world.sent.length
    to.receiver.fetch(1)
    t.equal(world.sent.length, asked)
    await world.pass(10_000)
    to.receiver.fetch(1)
    t.equal(world.sent.length, asked + 1)
    t.strictSame(to.failures, [])
  }
})

t.test('what comes late, twice, unasked or from somebody else is of no use', async (t) => {
  const world = new World(3)
  await world.node(1).save(100, BYTES)
  const to = world.node(0)
  const stranger: Piece = {
    type: 'piece',
    slot: 300,
    id: 'ab'.repeat(16),
    maker: 1,
    size: BYTES,
    offset: 0,
    bytes: new Uint8Array(1_000),
  }
  to.take(1, stranger)
  t.equal(to.receiver.status, null)
  to.receiver.fetch(1)
  await world.until(() => (to.receiver.status?.received ?? 0) > 0, 1_000)
  to.take(2, stranger)
  to.take(1, stranger) // as if it had another file: it says so only once
  to.take(1, { ...stranger, offset: 1_000 })
  t.ok(await world.until(() => to.installed.length > 0, 10_000))
  t.ok(holds(to, 100))
  t.strictSame(to.warnings, [])
})

t.test('damage on the way is found, and the peer is left alone longer each time', async (t) => {
  const world = new World(2)
  await world.node(1).save(100, BYTES)
  const to = world.node(0)
  world.fate = (_from, _to, message) => {
    if (message.type === 'piece' && message.offset === PIECE_BYTES) flip(message, 50_000)
    return [1]
  }
  to.receiver.fetch(1)
  await world.until(() => to.warnings.length > 0, 10_000)
  t.match(to.warnings, [/^server 1 sent a damaged snapshot \(.*\): it is not asked for 10 s$/])
  t.equal(to.directory.part, null)
  await world.pass(10_000)
  to.receiver.fetch(1)
  await world.until(() => to.warnings.length > 1, 10_000)
  t.match(to.warnings[1], /20 s$/)
  t.equal(to.held, 0)
  world.fate = () => [1]
  await world.pass(20_000)
  to.receiver.fetch(1)
  t.ok(await world.until(() => to.installed.length > 0, 10_000))
})

t.test('a full disk is waited for, and said once; one that fails ends the server', async (t) => {
  const world = new World(2)
  await world.node(1).save(100, BYTES)
  const to = world.node(0)
  for (const call of ['take', 'take', 'install'] as const) {
    to.snapshots.fails.set(call, 'DISK_FULL')
    for (let turn = 0; turn < 200 && to.snapshots.fails.has(call); turn++) {
      to.receiver.fetch(1)
      await world.pass(RESEND)
    }
  }
  t.strictSame(to.installed, [])
  t.ok(world.time.now > 15_000, 'each time it is left alone for longer')
  await world.pass(20_000)
  to.receiver.fetch(1)
  t.ok(await world.until(() => to.installed.length > 0, 60_000))
  t.ok(holds(to, 100))
  t.equal(to.warnings.length, 1)
  t.match(to.warnings[0], /no room/)
  t.strictSame(to.failures, [])

  const other = new World(2)
  await other.node(1).save(100, BYTES)
  other.node(0).snapshots.fails.set('take', 'DISK_FAILED')
  other.node(0).receiver.fetch(1)
  await other.pass(1_000)
  t.match(other.node(0).failures, [{ code: 'DISK_FAILED' }])
})

t.test('what arrived whole and cannot be used ends the server, as its state is gone', async (t) => {
  const world = new World(2)
  const writer = await world.node(1).snapshots.create(100)
  await writer.add(encodeHead(coreAt(99).head, true))
  await writer.finish()
  const to = world.node(0)
  to.receiver.fetch(1)
  await world.until(() => to.failures.length > 0, 10_000)
  t.match(to.failures, [{ code: 'SNAPSHOT_UNUSABLE' }])
  t.equal(to.held, 0)
  t.strictSame(to.installed, [])
})

t.test('a slow way makes the receiver patient, so that pieces are not sent twice', async (t) => {
  const world = new World(2)
  const info = await world.node(1).save(100, BYTES)
  world.fate = (_from, _to, message) => [message.type === 'piece' ? 3 * RESEND : 1]
  const to = world.node(0)
  to.receiver.fetch(1)
  t.ok(await world.until(() => to.installed.length > 0, 100_000))
  t.ok(world.bytesTo(0) <= info.size + 3 * PIECE_BYTES, `${world.bytesTo(0)} of ${info.size} bytes`)
})

t.test('while it installs, whoever gave the snapshot hears so, and sends nothing again', async (t) => {
  const world = new World(3)
  const { size } = await world.node(1).save(100, BYTES)
  const to = world.node(0)
  to.installing = 31_000
  to.receiver.fetch(1)
  const isSaid = (message: Transferred): boolean => message.type === 'fetch' && message.offset === size
  const times = (): number => world.sent.filter(({ message }) => isSaid(message)).length
  t.ok(await world.until(() => times() === 3, 20_000))
  await world.node(1).save(200, BYTES)
  t.ok(await world.until(() => to.installed.length > 0, 60_000))
  t.equal(times(), 6, 'also when that has a newer one by now')
  t.equal(world.bytesTo(0), size)
  await world.pass(60_000)
  t.equal(times(), 6, 'and not after that')
})

t.test('when a server stops, nothing of it goes on', async (t) => {
  const world = new World(2)
  await world.node(1).save(100, BYTES)
  const to = world.node(0)
  to.receiver.fetch(1)
  await world.until(() => (to.receiver.status?.received ?? 0) > 0, 1_000)
  let stopped = false
  void Promise.all([to.receiver.stop(), world.node(1).sender.stop()]).then(() => (stopped = true))
  t.ok(await world.until(() => stopped, 1_000))
  const sent = world.sent.length
  await world.pass(60_000)
  t.equal(world.sent.length, sent)
  to.receiver.fetch(1)
  world.node(1).take(0, { type: 'fetch', slot: 0, id: '', offset: 0 })
  await world.pass(1_000)
  t.equal(world.sent.length, sent)
  t.strictSame(to.failures, [])
})

/** What went wrong with this seed; null if nothing did. */
async function troubled(seed: number): Promise<string | null> {
  const world = new World(3, seed)
  const { prng } = world
  const to = world.node(0)
  const saved = new Map<string, number>()
  const save = async (node: Node): Promise<void> => {
    const slot = (node.directory.newest?.info.slot ?? 0) + 1 + prng.below(10)
    const info = await node.save(slot, 1 << 20)
    saved.set(info.id, slot)
  }
  for (const peer of [1, 2]) await save(world.node(peer))
  world.fate = (_from, _to, message) => {
    if (prng.below(8) === 0) return []
    const delay = (): number => (prng.below(6) === 0 ? prng.below(2_000) : 1 + prng.below(20))
    if (message.type === 'piece' && prng.below(100) === 0) flip(message, prng.below(message.bytes.length))
    return prng.below(6) === 0 ? [delay(), delay()] : [delay()]
  }
  for (let turn = 0; turn < 12; turn++) {
    if (to.up) to.receiver.fetch(1 + prng.below(2))
    if (await world.until(() => to.installed.length > 0, prng.below(800))) break
    const node = world.node(prng.below(3))
    const what = prng.below(4)
    if (what === 0 && node.up) node.crash()
    else if (!node.up) node.start()
    else if (what === 1 && node !== to) await save(node)
  }
  world.fate = () => [1]
  for (const node of world.nodes) if (!node.up) node.start()
  for (let turn = 0; turn < 400 && to.installed.length === 0; turn++) {
    to.receiver.fetch(1 + (turn % 2))
    await world.until(() => to.installed.length > 0, RESEND)
  }
  const [info] = to.installed
  if (info === undefined) return `nothing was installed: ${to.warnings.join('; ')}`
  if (!holds(to, info.slot, 1 << 20)) return `another state than that of slot ${info.slot}`
  if (saved.get(info.id) !== info.slot) return 'a snapshot that nobody made'
  if (world.nodes.some((node) => node.mostReading > 2)) return 'a server reads more than a piece for each peer'
  if (world.nodes.some((node) => node.held !== 0)) return 'the snapshotter is held for ever'
  const failures = world.nodes.flatMap((node) => node.failures)
  return failures.length > 0 ? failures.map(String).join('; ') : null
}

t.test('whatever is lost, doubled, late or crashes: in the end a whole snapshot is there', async (t) => {
  for (let seed = 1; seed <= 60; seed++) {
    const trouble = await troubled(seed)
    if (trouble !== null) t.fail(`seed ${seed}: ${trouble}`)
  }
  t.pass('60 seeds')
})
