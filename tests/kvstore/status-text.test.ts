/** What `status` says to people. */
import type { ServerAnswer, ServerStatus } from '@synod/paxos'
import { remarks } from '@synod/kvstore/internal/cli/status'
import t from 'tap'
import { statusOf } from '../support/status.js'

const answersOf = (...all: readonly Partial<ServerStatus>[]): ServerAnswer[] =>
  all.map((fields, id) => {
    const status = statusOf({ id, ready: true, reason: null, ...fields })
    return { address: `127.0.0.1:${10_000 + id}`, status, error: null }
  })

t.test('servers that are well need no remark', (t) => {
  t.strictSame(remarks(answersOf({}, {}, { audit: { slot: 256, hash: 'a'.repeat(16) } })), [])
  t.end()
})

t.test('a server that is not up to it is told of, with how far it has come', (t) => {
  const reason = 'this server is starting: 42 % of its directory is read'
  const found = remarks(
    answersOf(
      { role: 'starting', progress: 0.42, ready: false, reason },
      { fetching: { from: 0, received: 3 << 20, bytes: 12 << 20 }, ready: false, reason: 'far behind' },
      { role: 'repairing', life: 2, ready: false, reason: 'it is repaired' },
      { life: 1 },
      { ready: false, reason: 'the disk is full' },
      { fetching: { from: 0, received: 0, bytes: 0 } },
    ),
  )
  t.strictSame(found, [
    'Server 0 is starting: ████████░░░░░░░░░░░░ 42 % of its directory is read.',
    'Server 1 is far behind, and fetches a snapshot of server 0: █████░░░░░░░░░░░░░░░ 25 % of 12.0 MiB.',
    'Server 2 is being repaired from the others: it does not vote yet.',
    'Server 2 was repaired 2 times.',
    'Server 3 was repaired once.',
    'Server 4 takes nothing in: the disk is full.',
    'Server 5 is far behind, and fetches a snapshot of server 0: ░░░░░░░░░░░░░░░░░░░░ 0 % of 0 B.',
  ])
  t.end()
})

t.test('two histories of one slot are warned of before all else', (t) => {
  const audit = (slot: number, letter: string) => ({ audit: { slot, hash: letter.repeat(16) } })
  t.strictSame(remarks(answersOf(audit(256, 'a'), audit(512, 'b'), audit(768, 'c'))), [], 'of different slots')
  t.strictSame(remarks(answersOf(audit(1_024, 'a'), { ...audit(1_024, 'b'), life: 1 }, audit(1_024, 'a'))), [
    'WARNING: the histories of servers differ: 0 and 1 at slot 1,024, 1 and 2 at slot 1,024. See who is right with "verify".',
    'Server 1 was repaired once.',
  ])
  t.end()
})
