/** Long values are told short, and two that differ stay two. */
import { padded, shortened } from '@synod/harness/internal/subject/padding'
import { kvSubject } from '@synod/harness/internal/subject/kvstore'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import t from 'tap'

t.test('a value is as long as it is to be, and told by how long it is', (t) => {
  const value = padded('v17', 65_536)
  t.equal(value.length, 65_536)
  t.equal(shortened(value), 'v17~×65533')
  t.not(shortened(padded('v17', 65_537)), shortened(value), 'another length is another value')
  t.equal(padded('v17', 0), 'v17')
  for (const plain of ['v17', 'v17~~', 'blue', '', `x${'~'.repeat(100)}`]) t.equal(shortened(plain), plain)
  t.equal(shortened(null), null)
  t.end()
})

t.test('a workload of long values writes them, and its history tells them short', async (t) => {
  const draw = kvSubject.workload({ bytes: 5_000, keys: 1, mix: { write: 1 } })
  if (typeof draw === 'string') throw new Error(draw)
  const task = draw(new Prng(1), 9, 'a client')
  t.equal(task.value, 'v9~×4998')
  let sent: unknown
  const answer = await task.run(
    (op) => {
      sent = op
      return Promise.resolve({ existed: false })
    },
    () => Promise.reject(new Error('it writes')),
  )
  t.strictSame(answer, { type: 'ok', value: 'v9~×4998' })
  t.match(sent, { type: 'set', key: 'key-0', value: /^v9~{4998}$/ })
  t.strictSame(kvSubject.finalReads([['key-0', (sent as { value: string }).value]], []), [
    { f: 'read', key: 'key-0', value: 'v9~×4998' },
  ])
})
