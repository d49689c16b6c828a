/** What `status` and `verify` say to people. */
import { ClientError } from '@synod/paxos'
import type { ServerAnswer, ServerStatus, Verification, VerifiedServer } from '@synod/paxos'
import { bar, duration, grouped, size } from '@synod/kvstore/internal/cli/show'
import { remarks } from '@synod/kvstore/internal/cli/status'
import { conclusions } from '@synod/kvstore/internal/cli/verify'
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

const digest = { chain: 'c'.repeat(16), state: 's'.repeat(16), entries: 3 }
const gone = new ClientError('UNAVAILABLE', 'b:1: connect ECONNREFUSED')

/** What was found of servers with these fields; the rest is as where all agree. */
function foundOf(difference: Verification['difference'], ...all: readonly Partial<VerifiedServer>[]): Verification {
  const servers = all.map((fields, id): VerifiedServer => {
    const server = {
      server: id,
      address: `${'abcde'[id] ?? ''}:1`,
      digest,
      error: null,
      verdict: 'same',
      parted: null,
    } as const
    return { ...server, ...fields }
  })
  const agree = difference === null && servers.every((server) => server.digest !== null)
  return { slot: 1_234, servers, agree, difference, parted: null }
}

const silent = { server: null, digest: null, error: gone, verdict: 'unknown' } as const
const cases: [what: string, found: Verification, lines: string[]][] = [
  ['all agree', foundOf(null, {}, {}, {}), ['All 3 servers agree at slot 1,234.']],
  ['there is one', foundOf(null, {}), ['The one server has nobody to differ from at slot 1,234.']],
  [
    'one is gone',
    foundOf(null, {}, silent, {}),
    ['Those that answered agree at slot 1,234: 2 of 3 servers.', 'b:1 did not answer: connect ECONNREFUSED.'],
  ],
  [
    'one has lost its way',
    foundOf('history', {}, {}, { verdict: 'otherHistory', parted: { from: 256, to: 512 } }),
    [
      'The servers DIFFER at slot 1,234.',
      'Server 2 has executed other commands than a majority, the first of them in one of the slots 257 to 512.',
    ],
  ],
  [
    'the very slot is known',
    foundOf('history', {}, {}, { verdict: 'otherHistory', parted: { from: 511, to: 512 } }),
    [
      'The servers DIFFER at slot 1,234.',
      'Server 2 has executed other commands than a majority, the first of them in slot 512.',
    ],
  ],
  [
    'one is not deterministic',
    foundOf('state', {}, { verdict: 'otherState' }, {}),
    [
      'The servers DIFFER at slot 1,234.',
      'Server 1 has another state than a majority.',
      'The same commands have led to other states: a service that is not deterministic, or bad memory.',
    ],
  ],
  [
    'one against one',
    foundOf('history', { verdict: 'undecided' }, { verdict: 'undecided', parted: { from: 0, to: 256 } }),
    [
      'The servers DIFFER at slot 1,234.',
      'Server 1 has executed other commands than others have, the first of them in one of the slots 1 to 256.',
      'No majority of the servers has the same, so this does not tell who is right.',
    ],
  ],
  [
    'nobody told',
    foundOf(null, silent),
    ['No server told what it came to at slot 1,234.', 'a:1 did not answer: b:1: connect ECONNREFUSED.'],
  ],
]

for (const [what, found, lines] of cases) {
  t.test(`what verify comes to, where ${what}`, (t) => {
    t.strictSame(conclusions(found), lines)
    t.end()
  })
}

t.test('numbers are told as people tell them', (t) => {
  t.strictSame([0, 999, 1_234_567].map(grouped), ['0', '999', '1,234,567'])
  t.strictSame([0, 1_023, 1_024, 5.5 * 2 ** 20, 200 * 2 ** 30].map(size), [
    '0 B',
    '1,023 B',
    '1.0 KiB',
    '5.5 MiB',
    '200 GiB',
  ])
  t.strictSame([0, 59_999, 60_000, 3_725_000, 26 * 3_600_000].map(duration), ['0s', '59s', '1m 0s', '1h 2m', '1d 2h'])
  t.strictSame([0, 0.5, 0.999, 1, 1.1].map(bar), [
    '░░░░░░░░░░░░░░░░░░░░ 0 %',
    '██████████░░░░░░░░░░ 50 %',
    '███████████████████░ 99 %',
    '████████████████████ 100 %',
    '████████████████████ 100 %',
  ])
  t.end()
})
