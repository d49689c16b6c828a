import t from 'tap'
import { BLOCK } from '@synod/paxos/internal/protocol/audit'
import type { LogRecord } from '@synod/paxos/internal/protocol/ready'
import { bytes, only, text } from '../../support/transcript.js'
import { Network } from '../../support/network.js'

/** What a disk makes of it: the operation `lie` is another one. */
function lied(record: LogRecord): LogRecord {
  if (record.type !== 'accept') return record
  const commands = record.run.commands.map((command) =>
    command.kind === 'op' && text(command.op) === 'x1' ? { ...command, op: bytes('lie') } : command,
  )
  return { ...record, run: { ...record.run, commands } }
}

/** Some slots are decided; then the disks of some servers lie, which are started again. Server 0 leads. */
function liedTo(count: number, ...servers: number[]): Network {
  const network = new Network(count)
  network.elect(0)
  network.submit(0, 'open n, 1.n/1 x1, 1.n/2 x2')
  network.settle()
  for (const server of servers) {
    network.crash(server)
    network.rewrite(server, lied)
    network.start(server)
  }
  network.run(200)
  return network
}

/** So many operations of the session, from this number on. */
function operations(from: number, count: number): string {
  return Array.from({ length: count }, (_, index) => `1.n/${from + index}^${from + index - 3} y`).join(', ')
}

/** Operations up to the end of the first block, and a few more. */
function fill(network: Network): void {
  network.submit(0, operations(3, BLOCK))
}

const stopped = (network: Network): string[] => only(/stops/, network.transcript())

t.test('a server whose disk lied is found out at the end of a block: it stops, and the others go on', (t) => {
  const network = liedTo(3, 2)
  fill(network)
  network.run(10_000)
  t.strictSame(stopped(network), ['2 stops: DIVERGED'])
  network.submit(0, '1.n/999^900 z')
  network.settle()
  t.equal(network.status(0).applied, network.status(1).applied)
  t.equal(network.executed(1).at(-1), network.executed(0).at(-1))
  t.end()
})

t.test('so it is with a leader, and with two of five', (t) => {
  const leader = liedTo(3, 0)
  leader.elect(0)
  fill(leader)
  leader.run(10_000)
  t.strictSame(stopped(leader), ['0 stops: DIVERGED'])
  const two = liedTo(5, 1, 4)
  fill(two)
  two.run(10_000)
  t.strictSame(stopped(two).sort(), ['1 stops: DIVERGED', '4 stops: DIVERGED'])
  t.end()
})

t.test('without a majority that is alike all that see it stop', (t) => {
  const network = liedTo(3, 2)
  network.crash(1)
  fill(network)
  network.run(10_000)
  t.strictSame(stopped(network).sort(), ['0 stops: DIVERGED', '2 stops: DIVERGED'])
  t.end()
})

t.test('a question that is lost is asked again: who is like a majority goes on', (t) => {
  const network = liedTo(3, 2)
  fill(network)
  const asks = (): boolean => {
    network.tick(25)
    network.sync()
    return only(/0→1,2 askAudit/, network.transcript()).length > 0
  }
  for (let rounds = 0; !asks(); rounds++) {
    if (rounds > 100) throw new Error('server 0 does not ask')
    network.deliver()
  }
  network.lose('0→1 askAudit')
  network.run(10_000)
  t.strictSame(stopped(network), ['2 stops: DIVERGED'])
  t.end()
})

t.test('a server that knows only later blocks, since it began with a snapshot, counts all the same', (t) => {
  const network = liedTo(3, 2)
  network.submit(0, operations(3, BLOCK))
  network.settle()
  network.cut('0-2', '1-2')
  network.submit(0, operations(BLOCK + 3, BLOCK))
  network.run(200)
  network.snapshot(1)
  network.settle()
  network.crash(1)
  network.start(1)
  t.strictSame(
    network.core(1).chain.map(({ slot }) => Math.floor(slot / BLOCK)),
    [2, 2],
    'the end of the second block, and its own end',
  )
  network.run(200)
  network.heal()
  network.run(10_000)
  t.strictSame(stopped(network), ['2 stops: DIVERGED'])
  t.end()
})

t.test('equal servers never ask each other', (t) => {
  const network = liedTo(3)
  fill(network)
  network.run(3000)
  const all = network.transcript()
  t.match(all, /heartbeat .*; chain [0-9a-f]{16}@256\n/, 'they tell their chains')
  t.strictSame(only(/Audit/, all), [])
  t.end()
})
