/** What `verify` says to people. */
import { ClientError } from '@synod/paxos'
import type { Verification, VerifiedServer } from '@synod/paxos'
import { conclusions } from '@synod/terminal/internal/verify'
import t from 'tap'

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
