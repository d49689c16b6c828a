import { ClientError } from '@synod/paxos'
import { compare, parting } from '@synod/paxos/internal/client/comparison'
import type { Testimony } from '@synod/paxos/internal/client/comparison'
import t from 'tap'

/** Servers whose histories and states are named by a letter each, such as `Aa`; `?` told nothing. */
function told(...words: string[]): Testimony[] {
  return words.map((word, server) => {
    const address = `s${server}:1`
    if (word === '?') return { server: null, address, digest: null, error: new ClientError('UNAVAILABLE', 'gone') }
    const [chain = '', state = ''] = word
    return { server, address, digest: { chain, state, entries: 7 }, error: null }
  })
}

const cases: [what: string, words: string[], difference: string | null, verdicts: string[]][] = [
  ['all the same', ['Aa', 'Aa', 'Aa'], null, ['same', 'same', 'same']],
  ['one is gone', ['Aa', '?', 'Aa'], null, ['same', 'unknown', 'same']],
  ['two are gone', ['?', 'Aa', '?'], null, ['unknown', 'same', 'unknown']],
  ['one has another state', ['Aa', 'Ab', 'Aa'], 'state', ['same', 'otherState', 'same']],
  ['one has another history', ['Aa', 'Aa', 'Bb'], 'history', ['same', 'same', 'otherHistory']],
  [
    'another history that led to the same state is another one all the same',
    ['Aa', 'Ba', 'Aa'],
    'history',
    ['same', 'otherHistory', 'same'],
  ],
  ['two against each other, one gone', ['Aa', 'Bb', '?'], 'history', ['undecided', 'undecided', 'unknown']],
  ['everybody has another state', ['Aa', 'Ab', 'Ac'], 'state', ['undecided', 'undecided', 'undecided']],
  [
    'the majority of histories has no majority of states',
    ['Aa', 'Ab', 'Bb'],
    'history',
    ['undecided', 'undecided', 'otherHistory'],
  ],
  ['half is no majority', ['Aa', 'Aa', 'Bb', 'Bb'], 'history', Array<string>(4).fill('undecided')],
  ['one of two', ['Aa', 'Ab'], 'state', ['undecided', 'undecided']],
  [
    'three of five, whatever the others are',
    ['Bb', 'Aa', 'Aa', 'Ab', 'Aa'],
    'history',
    ['otherHistory', 'same', 'same', 'otherState', 'same'],
  ],
]

for (const [what, words, difference, verdicts] of cases) {
  t.test(`${what}: ${words.join(' ')}`, (t) => {
    const found = compare(9, told(...words))
    t.equal(found.difference, difference)
    t.strictSame(
      found.servers.map(({ verdict }) => verdict),
      verdicts,
    )
    t.equal(found.agree, difference === null && !words.includes('?'))
    t.equal(found.slot, 9)
    t.equal(found.parted, null, 'no chains were told')
    t.end()
  })
}

t.test('as many entries belong to a state as its hash', (t) => {
  const [one, two] = told('Aa', 'Aa').map((testimony, index) => {
    const { digest } = testimony
    return { ...testimony, digest: digest === null ? null : { ...digest, entries: 7 + index } }
  })
  t.equal(
    compare(
      1,
      [one, two].flatMap((each) => each ?? []),
    ).difference,
    'state',
  )
  t.end()
})

/** `256a 300b`: marks. */
const chain = (text: string) =>
  text.split(' ').map((mark) => ({ slot: Number(mark.slice(0, -1)), hash: mark.slice(-1) }))

t.test(
  'two histories part between the last slot at which they are the same and the first at which they differ',
  (t) => {
    const one = chain('256a 512b 768c 900d')
    t.strictSame(parting(one, chain('256a 512x 768y 900z'), 900), { from: 256, to: 512 })
    t.strictSame(parting(one, chain('256a 512b 768c 900z'), 900), { from: 768, to: 900 })
    t.strictSame(parting(one, chain('512b 768y'), 880), { from: 512, to: 768 }, 'one has forgotten more')
    t.strictSame(parting(one, chain('512x 768y'), 880), { from: 0, to: 512 }, 'it may have been long ago')
    t.strictSame(parting(one, chain('600x'), 880), { from: 0, to: 880 }, 'they have no slot in common')
    t.strictSame(
      parting(chain('256a 1024e'), chain('256a 1024f'), 880),
      { from: 256, to: 880 },
      'what came later is no news',
    )
    t.equal(parting(one, undefined, 900), null)
    t.equal(parting(undefined, one, 900), null)
    t.end()
  },
)

t.test('each history that is not that of most is compared with it; the first to part is told of all', (t) => {
  const chains = new Map([
    ['s0:1', chain('256x 512y')],
    ['s1:1', chain('256a 512b')],
    ['s2:1', chain('256a 512b')],
    ['s4:1', chain('256a 512z')],
  ])
  const { servers, parted } = compare(600, told('Bb', 'Aa', 'Aa', 'Aa', 'Cc'), chains)
  t.strictSame(
    servers.map(({ parted: at }) => at),
    [{ from: 0, to: 256 }, null, null, null, { from: 256, to: 512 }],
  )
  t.strictSame(parted, { from: 0, to: 256 })
  chains.delete('s4:1')
  t.equal(compare(600, told('Bb', 'Aa', 'Aa', 'Aa', 'Cc'), chains).servers[4]?.parted, null, 'it did not tell')
  t.end()
})
