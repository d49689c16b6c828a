import t from 'tap'
import { Paxos } from '@synod/paxos/internal/protocol/paxos'
import { ballot, command, config, Journal, lines, only } from '../../support/transcript.js'
import { Network } from '../../support/network.js'

/** Server 0 knows none of the decisions of slots 1 to 5 at 1.1, and finds no leader: server 1 has stepped down. */
function behind(): Network {
  const network = new Network(3, { limits: { runCommands: 2 } })
  network.elect(1)
  network.cut('0-1', '0-2')
  network.submit(1, 'open n, 1.n/1 a, 1.n/2 b, 1.n/3 c')
  network.settle()
  network.submit(1, '1.n/4 d')
  network.settle()
  network.stop(1)
  network.settle()
  network.heal()
  network.submit(0, '1.n/5 e')
  network.transcript()
  return network
}

t.test('a new leader that lacks decisions gets them from who told it of them before it proposes', (t) => {
  const network = behind()
  network.crash(1)
  network.tick(2000, 0)
  network.settle()
  t.equal(network.status(0).role, 'leader')
  t.equal(
    only(/^2→0 (decision|p1b)|catchUp| decided |^0 logs (learn|accept)|^0→1,2 (heartbeat|p2a)/, network.transcript())
      .slice(0, 14)
      .join('\n'),
    lines(`
      2→0 decision 1.1; decided<6
      0→2 catchUp from slot 1
      2→0 decided 1.1 slots 1–2: open n, a; decided<6
      2→0 p1b 3.0 from slot 1: []; decided<6
      0 logs learn 1.1 slots 1–2: open n, a
      0→2 catchUp from slot 3
      2→0 decided 1.1 slots 3–4: b, c; decided<6
      0 logs learn 1.1 slots 3–4: b, c
      0→2 catchUp from slot 5
      2→0 decided 1.1 slot 5: d; decided<6
      0→1,2 heartbeat 3.0 #1; decided<6
      0→1,2 p2a 3.0 slot 6: e; decided<6
      0 logs learn 1.1 slot 5: d
      0 logs accept 3.0 slot 6: e
    `),
  )
  t.strictSame(network.executed(0), ['a@2', 'b@3', 'c@4', 'd@5', 'e@6'])
  t.end()
})

t.test('another server is asked when the one that told of the decisions does not answer', (t) => {
  const network = behind()
  const asked = (): string => only(/catchUp/, network.transcript()).join('\n')
  network.tick(2000, 0)
  network.deliver('0→2 prescout')
  network.deliver('2→0 decision')
  t.equal(asked(), '0→2 catchUp from slot 1')
  network.crash(2)
  network.lose()
  network.tick(499, 0)
  t.equal(asked(), '')
  network.tick(1, 0)
  t.equal(asked(), '0→1 catchUp from slot 1')
  network.settle()
  t.equal(network.status(0).applied, 5)
  t.end()
})

/** Server 0 is adopted, and told that the slots below `decided` are; each step of `learn` takes it one slot on. */
function catchingUp(decided: number): { network: Network; learn: (slot: number) => void } {
  const network = new Network(3)
  network.tick(0)
  network.tick(500, 0)
  network.deliver('0→1')
  network.deliver('1→0')
  network.sync()
  const nothing = { from: 1, accepted: [], next: null, collected: 0, lives: [] }
  network.inject(1, 0, { type: 'p1b', ballot: ballot('1.0'), ...nothing, decided })
  const learn = (slot: number): void => {
    const commands = [command(`c${slot}`)]
    network.inject(1, 0, { type: 'decided', ballot: ballot('0.1'), first: slot, commands, decided })
    network.sync()
  }
  return { network, learn }
}

t.test('a leader that catches up in chunks is making progress, and goes on longer than a timeout', (t) => {
  const { network, learn } = catchingUp(9)
  for (let slot = 1; slot < 9; slot++) {
    network.tick(400, 0)
    t.equal(network.status(0).role, 'candidate')
    learn(slot)
  }
  t.equal(network.status(0).role, 'leader')
  t.strictSame(network.status(0).ballot, ballot('1.0'), 'at its first ballot')
  t.end()
})

t.test('a leader that needed longer than a timeout to catch up gives the others as long to answer', (t) => {
  const { network, learn } = catchingUp(4)
  for (let slot = 1; slot < 4; slot++) {
    network.tick(400, 0)
    learn(slot)
  }
  t.equal(network.status(0).role, 'leader')
  network.lose()
  network.transcript()
  network.tick(100, 0)
  t.match(network.transcript(), '0→1,2 heartbeat 1.0 #2; decided<4', 'it does not step down on its first tick')
  network.tick(400, 0)
  t.equal(network.status(0).role, 'leader')
  network.tick(1, 0)
  t.match(network.transcript(), '0→1,2 stepDown 1.0', 'nobody answered')
  t.equal(network.status(0).role, 'follower')
  t.end()
})

t.test('a server that says it has a snapshot, and does not give it, is left for another one after a while', (t) => {
  const core = new Paxos(config(2, 3), new Journal())
  const asked: number[] = []
  for (let now = 0; now < 120_000; now += 250) {
    core.step({ type: 'message', from: 0, now, message: { type: 'decision', ballot: ballot('1.0'), decided: 900 } })
    for (const { to, message } of core.ready().messages) {
      if (message.type !== 'catchUp') continue
      asked.push(...to)
      const answer = {
        type: 'compacted',
        from: message.from,
        snapshot: 500,
        ballot: ballot('1.0'),
        decided: 900,
      } as const
      for (const from of to) core.step({ type: 'message', from, now, message: answer })
    }
  }
  const turns = asked.filter((server, at) => at > 0 && server !== asked[at - 1]).length
  t.ok(turns >= 3, `asked another one ${turns} times`)
  t.ok(turns <= 10, 'but not each time')
  t.end()
})
