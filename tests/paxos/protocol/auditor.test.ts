import t from 'tap'
import { Chain } from '@synod/paxos/internal/protocol/audit'
import { Auditor } from '@synod/paxos/internal/protocol/auditor'
import { SynodError } from '@synod/paxos/internal/protocol/error'
import { Outbox } from '@synod/paxos/internal/protocol/outbox'
import { command, config, showOutbox } from '../../support/transcript.js'

/** What a history comes to at slot 256: all `good` ones are equal. */
function chain(first: string, slots = 256): Chain {
  const self = new Chain()
  self.add(1, command(first))
  for (let slot = 2; slot <= slots; slot++) self.add(slot, command('noop'))
  return self
}

const good = chain('good').block.hash
const odd = chain('odd').block.hash
const other = chain('other').block.hash

/** Server 0 of so many. */
function auditor(count: number, history = 'good', slots = 300) {
  const out = new Outbox(0)
  const self = new Auditor(config(0, count), chain(history, slots))
  const told = (): string => showOutbox(0, out)
  /** What is sent, or the error that ends the server. */
  const after = (act: () => void): string => {
    try {
      act()
      return told()
    } catch (error) {
      if (error instanceof SynodError && error.code === 'DIVERGED') return `DIVERGED: ${error.message}`
      throw error
    }
  }
  return {
    compare: (from: number, hash: string, slot = 256, now = 0): string =>
      after(() => {
        self.compare(from, { slot, hash }, now, out)
      }),
    tell: (from: number, hash: string, slot = 256): string =>
      after(() => {
        self.tell(from, { type: 'tellAudit', slot, hash })
      }),
    ask: (from: number, slot: number): string =>
      after(() => {
        self.ask(from, { type: 'askAudit', slot }, out)
      }),
    tick: (now: number): string =>
      after(() => {
        self.tick(now, out)
      }),
  }
}

t.test('while all chains are equal nothing is sent', (t) => {
  const { compare, tick } = auditor(3)
  t.equal(compare(1, good), '')
  t.equal(compare(2, good), '')
  t.equal(compare(2, '0'.repeat(16), 0), '', 'before its first block a server has nothing to compare')
  t.equal(compare(1, odd, 512), '', 'nor is a slot compared that is not known here (yet, or any more)')
  t.equal(tick(1e9), '')
  t.end()
})

t.test('it tells its hash where it is asked, and where it does not know it that of its last block', (t) => {
  const { ask } = auditor(3)
  t.equal(ask(2, 256), `0→2 tellAudit slot 256: ${good}`)
  t.equal(ask(2, 512), `0→2 tellAudit slot 256: ${good}`)
  t.equal(auditor(3, 'good', 9).ask(2, 256), '0→2 tellAudit slot 0: 0000000000000000')
  t.end()
})

t.test('one of three differs: it stops, and the other two go on', (t) => {
  const bad = auditor(3, 'odd')
  t.equal(bad.compare(1, good), '0→1,2 askAudit slot 256')
  t.equal(bad.tell(1, good), '')
  t.match(
    bad.tell(2, good),
    `DIVERGED: this server's history differs from that of others at or before slot 256 (server 0: ${odd}, server 1: ${good}, server 2: ${good}), and a majority of the servers has another one: what it executed cannot be believed; check its memory and disk, empty its directory, and have it rebuilt from the others with --repair`,
  )
  const well = auditor(3)
  t.equal(well.compare(1, odd), '0→1,2 askAudit slot 256')
  t.equal(well.compare(1, odd), '', 'it asks once')
  t.equal(well.tell(1, odd), '')
  t.equal(well.tell(2, good), '')
  t.equal(well.tick(1e9), '', 'that was the end of it')
  t.end()
})

t.test('one of five differs: a majority of all has to be alike', (t) => {
  const bad = auditor(5, 'odd')
  bad.compare(1, good)
  t.equal(bad.tell(2, good), '', 'two are not enough')
  t.match(bad.tell(3, good), 'DIVERGED')
  const well = auditor(5)
  well.compare(1, odd)
  well.tell(2, good)
  well.tell(3, good)
  t.equal(well.tick(1e9), '')
  t.end()
})

t.test('no majority has one chain: all that see it stop, after the time in which the others may answer', (t) => {
  for (const [count, answers] of [
    [2, [odd]],
    [3, [odd, other]],
    [5, [odd, odd, good, other]],
  ] as const) {
    const { compare, tell, tick } = auditor(count)
    compare(1, odd, 256, 1000)
    answers.forEach((hash, index) => {
      t.equal(tell(index + 1, hash), '')
    })
    for (let now = 1500; now < 5000; now += 500) {
      t.equal(tick(now - 1), '')
      t.match(tick(now), /^0→1(,\d)* askAudit slot 256$/, 'it asks again')
    }
    const stopped = tick(1000 + 4000)
    t.match(
      stopped,
      /^DIVERGED: .* and no majority of the servers has the same one: .* make a new cluster/,
      `of ${count}`,
    )
    t.notMatch(stopped, '--repair', 'from whom?')
  }
  t.end()
})

t.test('nobody else answers: it stops when the time is over', (t) => {
  const { compare, tick } = auditor(3)
  compare(1, odd)
  t.match(tick(3999), 'askAudit')
  t.match(tick(4000), 'DIVERGED')
  t.end()
})

t.test(
  'an answer of before the slot in question says nothing, nor does one of behind it that is not known here',
  (t) => {
    const { compare, tell, tick } = auditor(3)
    t.equal(tell(1, odd), '', 'nothing was asked')
    compare(1, odd)
    t.equal(tell(2, '0'.repeat(16), 0), '')
    t.equal(tell(2, odd, 512), '')
    t.equal(compare(2, odd, 512), '')
    t.match(tick(3999), 'askAudit')
    t.equal(tell(2, good), '', 'an answer at last')
    t.equal(tick(1e9), '')
    t.end()
  },
)

t.test('when one question is answered the next one can be asked', (t) => {
  const { compare, tell } = auditor(3)
  compare(1, odd)
  tell(2, good)
  t.equal(compare(1, odd), '0→1,2 askAudit slot 256', 'the one that differs is still there')
  t.end()
})

t.test('a later mark that is equal says that all before it was: it counts as an answer', (t) => {
  const { compare, tick } = auditor(3, 'good', 600)
  compare(1, odd)
  t.equal(compare(2, chain('good', 512).block.hash, 512, 100), '', 'server 2 knows slot 256 no more')
  t.equal(tick(1e9), '', 'two of three are alike')
  const asked = auditor(3, 'good', 600)
  asked.compare(1, odd)
  t.equal(asked.tell(2, chain('odd', 512).block.hash, 512), '', 'that server 2 differs later says nothing of slot 256')
  t.equal(asked.tell(2, chain('good', 512).block.hash, 512), '')
  t.equal(asked.tick(1e9), '')
  t.end()
})
