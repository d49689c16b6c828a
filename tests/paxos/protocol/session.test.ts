import t from 'tap'
import type { Command } from '@synod/paxos/internal/protocol/command'
import { SESSION_WINDOW, SessionTable } from '@synod/paxos/internal/protocol/session'
import type { SessionEntry } from '@synod/paxos/internal/protocol/snapshot'
import { command, Journal, showResult } from '../../support/transcript.js'

/** A session table; operations are numbered by slot as they come. */
function table(limits?: { sessions: number; bytes: number }) {
  const ended: string[] = []
  const self = new SessionTable((clientId) => ended.push(clientId), limits)
  const journal = new Journal()
  const emit = (): void => undefined
  let slot = 0
  const operation = (text: string): Extract<Command, { kind: 'op' }> => {
    const parsed = command(text)
    if (parsed.kind !== 'op') throw new TypeError(`not an operation: ${text}`)
    return parsed
  }
  return {
    self,
    journal,
    ended,
    open: (nonce: string) => self.open(++slot, nonce),
    execute: (text: string) => showResult(self.execute(++slot, operation(text), journal, emit)),
    lookup: (text: string): string | undefined => {
      const result = self.lookup(operation(text))
      return result && showResult(result)
    },
  }
}

t.test('a retry gets the first result, and is not executed again', (t) => {
  const { open, execute, lookup, journal } = table()
  t.equal(open('n'), '1.n')
  t.equal(lookup('1.n/1 x'), undefined)
  t.equal(execute('1.n/1 x'), 'ok x@2')
  t.equal(execute('1.n/1 x'), 'ok x@2')
  t.equal(lookup('1.n/1 x'), 'ok x@2')
  t.strictSame(journal.executed, ['x@2'])
  t.end()
})

t.test('commands in flight may come in any order, each is executed once', (t) => {
  const { open, execute, journal } = table()
  open('n')
  for (const text of ['1.n/3 c', '1.n/1 a', '1.n/3 c', '1.n/2 b', '1.n/1 a']) execute(text)
  t.strictSame(journal.executed, ['c@2', 'a@3', 'b@5'])
  t.equal(execute('1.n/2^1 b'), 'ok b@5', 'above the watermark, results are kept')
  t.end()
})

t.test('at or below the watermark nothing is executed any more: stale', (t) => {
  const { open, execute, lookup, journal } = table()
  open('n')
  execute('1.n/1 a')
  t.equal(execute('1.n/5^3 e'), 'ok e@3')
  t.equal(execute('1.n/1 a'), 'stale')
  t.equal(lookup('1.n/1 a'), 'stale')
  t.equal(execute('1.n/3 never'), 'stale', 'also what was never executed')
  t.equal(execute('1.n/4 d'), 'ok d@6')
  t.equal(execute('1.n/4^4 d'), 'stale', 'nor does a command acknowledge itself')
  t.strictSame(journal.executed, ['a@2', 'e@3', 'd@6'])
  t.end()
})

t.test('a number too far above what its client acknowledged is not executed', (t) => {
  const { open, execute } = table()
  open('n')
  t.equal(execute(`1.n/${SESSION_WINDOW + 1} far`), 'stale')
  t.equal(execute(`1.n/${SESSION_WINDOW} near`), 'ok near@3')
  t.equal(execute(`1.n/${SESSION_WINDOW + 1}^1 far`), 'ok far@4')
  t.end()
})

t.test('a command of an unknown session is never executed: expired', (t) => {
  const { execute, lookup, journal } = table()
  t.equal(execute('1.n/1 x'), 'expired')
  t.equal(lookup('1.n/1 x'), undefined, 'it may be opened yet, as far as one server knows')
  t.strictSame(journal.executed, [])
  t.end()
})

t.test('a late copy of an `open` opens another session, and does not revive one that has ended', (t) => {
  const { self, open, execute } = table()
  t.equal(open('n'), '1.n')
  execute('1.n/1 x')
  self.end('1.n')
  t.equal(open('n'), '3.n')
  t.equal(execute('1.n/1 x'), 'expired')
  t.equal(execute('3.n/1 x'), 'ok x@5')
  t.end()
})

t.test('a session ends once, and what comes of it afterwards is not executed', (t) => {
  const { self, open, execute, ended } = table()
  open('a')
  open('b')
  t.equal(execute('1.a/1 x'), 'ok x@3')
  self.end('1.a')
  self.end('1.a')
  self.end('7.never')
  t.strictSame(ended, ['1.a'])
  t.equal(execute('1.a/1 x'), 'expired', 'not even its outcome is known any more')
  t.equal(execute('2.b/1 y'), 'ok y@5')
  t.end()
})

t.test('past so many sessions, the one unused for longest in the log goes; retries count as use', (t) => {
  const { self, open, execute, ended } = table({ sessions: 3, bytes: 1000 })
  for (const nonce of ['a', 'b', 'c']) open(nonce)
  execute('1.a/1 x')
  execute('2.b/1 y')
  execute('1.a/1 x')
  open('d')
  t.equal(self.size, 3)
  t.equal(execute('3.c/1 z'), 'expired')
  open('e')
  t.equal(execute('2.b/1 y'), 'expired')
  t.equal(execute('1.a/1 x'), 'ok x@4')
  t.strictSame(ended, ['3.c', '2.b'])
  t.end()
})

t.test('past so many bytes of results, sessions go likewise; what is acknowledged does not count', (t) => {
  const { self, open, execute } = table({ sessions: 10, bytes: 39 + 3 * 64 })
  open('a')
  open('b')
  t.equal(execute('1.a/1 twelve'), 'ok twelve@3', 'eight bytes, and 64 for what goes with each result')
  t.equal(execute('2.b/1 twelve'), 'ok twelve@4')
  for (let i = 2; i < 50; i++) t.match(execute(`2.b/${i}^${i - 1} acked`), /^ok acked@/)
  t.equal(self.size, 2)
  execute('2.b/50^49 more')
  execute('2.b/51^49 more-and-more-and-more')
  t.equal(self.size, 1)
  t.equal(execute('1.a/1 twelve'), 'expired')
  t.match(execute('2.b/50^49 more'), /^ok more@/)
  t.end()
})

t.test('a watermark that jumps far costs no more than the results that are there', (t) => {
  const { open, execute } = table()
  open('n')
  execute('1.n/1 a')
  const far = Number.MAX_SAFE_INTEGER - 10
  const began = performance.now()
  t.equal(execute(`1.n/${far + 1}^${far} b`), 'ok b@3')
  t.equal(execute('1.n/2 c'), 'stale')
  t.equal(execute(`1.n/${far + 1}^${far} b`), 'ok b@3')
  t.ok(performance.now() - began < 1000, 'counting through would take days')
  t.end()
})

/** What a capture yields, as text. */
function show(entries: Iterable<SessionEntry>): string[] {
  return [...entries].map(({ clientId, acked, results }) => {
    const list = results.map(([localId, status, value]) => `${localId} ${showResult({ status, value })}`)
    return `${clientId}^${acked}: ${list.join(', ')}`
  })
}

t.test('what is captured stays as it was, though sessions change while it is read', (t) => {
  const { self, open, execute } = table()
  for (const nonce of ['a', 'b', 'c', 'd']) open(nonce)
  execute('1.a/1 x')
  execute('2.b/1 y')
  const before = show(self.capture())
  t.strictSame(before, ['3.c^0: ', '4.d^0: ', '1.a^0: 1 ok x@5', '2.b^0: 1 ok y@6'], 'in the order of their last use')
  const reader = self.capture()[Symbol.iterator]()
  const found: SessionEntry[] = []
  const take = (): void => {
    const next = reader.next()
    if (next.done !== true) found.push(next.value)
  }
  execute('4.d/1 z') // changed before it is read
  take()
  execute('1.a/2^1 x') // its results go
  self.end('2.b') // ended before it is read
  open('e') // not there when it was captured
  take()
  execute('3.c/1 w') // read already
  execute('4.d/2 z') // changed a second time
  for (let i = 0; i < 5; i++) take()
  t.strictSame(show(found), before)
  t.strictSame(
    show(self.capture()),
    ['1.a^1: 2 ok x@8', '9.e^0: ', '3.c^0: 1 ok w@10', '4.d^0: 1 ok z@7, 2 ok z@11'],
    'and the table is what it became',
  )
  t.end()
})

t.test('each capture is what the table was, whether those before it were read or not', (t) => {
  const { self, open, execute } = table()
  open('a')
  open('b')
  const empty = self.capture()
  execute('1.a/1 x')
  const first = self.capture()
  for (const { clientId } of first) if (clientId === '2.b') break
  execute('1.a/2^1 y')
  const second = self.capture()
  execute('1.a/3^2 z')
  t.strictSame(show(empty), ['1.a^0: ', '2.b^0: '])
  t.strictSame(show(first), ['2.b^0: ', '1.a^0: 1 ok x@3'])
  t.strictSame(show(second), ['2.b^0: ', '1.a^1: 2 ok y@4'])
  t.strictSame(show(second), show(second), 'however often it is read')
  t.equal(self.size, 2)
  t.end()
})

t.test('restored, it has the same sessions, results, order and bounds', (t) => {
  const limits = { sessions: 3, bytes: 1 << 20 }
  const first = table(limits)
  for (const nonce of ['a', 'b', 'c']) first.open(nonce)
  first.execute('1.a/1 x')
  first.execute('2.b/4^2 y')
  const second = table(limits)
  second.open('gone')
  second.self.restore(first.self.capture())
  t.equal(second.self.size, 3)
  t.strictSame([...second.self.clientIds], ['3.c', '1.a', '2.b'])
  t.equal(second.lookup('1.a/1 x'), 'ok x@4')
  t.equal(second.lookup('2.b/2 z'), 'stale')
  t.equal(second.lookup('1.gone/1 z'), undefined)
  t.strictSame(second.ended, [], 'nobody is told that a session ended: the state knows')
  second.execute('3.c/1 z')
  second.open('d')
  t.strictSame(second.ended, ['1.a'], 'the one that was unused for longest is evicted')
  const bytes = table({ sessions: 9, bytes: 2 * 67 })
  bytes.self.restore(first.self.capture())
  bytes.execute('3.c/1 z')
  t.strictSame(bytes.ended, ['1.a'], 'so it is with the bytes of what was restored')
  t.end()
})

t.test('a capture of before a restore stays as it was, too', (t) => {
  const { self, open, execute } = table()
  open('a')
  execute('1.a/1 x')
  const captured = self.capture()
  self.restore([])
  t.equal(self.size, 0)
  t.strictSame(show(captured), ['1.a^0: 1 ok x@2'])
  t.end()
})
