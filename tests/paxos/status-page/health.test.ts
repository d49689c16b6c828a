import { healthOf } from '@synod/paxos/internal/status-page/health'
import t from 'tap'
import { clusterOf, working } from './views.js'

const dead = new Error('nobody listens on 127.0.0.1:1')
const lost = { leader: null, ready: false, reason: 'no leader is known' }

const audit = (slot: number, letter: string) => ({ audit: { slot, hash: letter.repeat(16) } })

const cases = [
  [
    'all is well',
    clusterOf(working(0), working(1), working(2)),
    'Healthy',
    'All 3 servers answer, and server 0 leads.',
  ],
  ['one server', clusterOf(working(0)), 'Healthy', 'The one server answers.'],
  [
    'one is gone',
    clusterOf(working(0), working(1), dead),
    'Degraded',
    'Server 2 does not answer (nobody listens on 127.0.0.1:1).',
  ],
  [
    'one is full, one is gone',
    clusterOf(working(0), working(1, { ready: false, reason: 'the disk is full' }), working(2), working(3), dead),
    'Degraded',
    'Server 1 takes nothing in (the disk is full) and server 4 does not answer (nobody listens on 127.0.0.1:1).',
  ],
  [
    'no majority',
    clusterOf(working(0), dead, dead),
    'No majority',
    'Only 1 of 3 servers can be reached from here, and 2 are needed: nothing can be read or written.',
  ],
  ['half is no majority', clusterOf(working(0), working(1), dead, dead), 'No majority', /2 of 4 .* 3 are needed/],
  [
    'no leader',
    clusterOf(working(0, lost), working(1, lost), dead),
    'No leader',
    /^Server 0 takes nothing in \(no leader/,
  ],
  [
    'many are gone',
    clusterOf(...[0, 1, 2, 3, 4].map((id) => working(id)), dead, dead, dead, dead),
    'Degraded',
    /^Server 5 .*, server 6 .*, server 7 .*, and 1 more\.$/,
  ],
  [
    'one has just been started',
    clusterOf(working(0), working(1), working(2, { role: 'starting', ready: false, reason: 'it is starting: 42 %' })),
    'Degraded',
    'Server 2 takes nothing in (it is starting: 42 %).',
  ],
  [
    'two have other histories, whatever else there is',
    clusterOf(working(0, audit(1_024, 'a')), dead, working(2, audit(1_024, 'b')), working(3, audit(512, 'c')), dead),
    'Histories differ',
    /^Servers 0 and 2 have executed different commands up to slot 1,024: one of them is damaged/,
  ],
  [
    'two tell of different slots',
    clusterOf(working(0, audit(1_024, 'a')), working(1, audit(768, 'b')), working(2, audit(1_024, 'a'))),
    'Healthy',
    /^All 3/,
  ],
  [
    'not formed yet',
    clusterOf(working(0, { role: 'forming', ready: false, reason: 'not formed' }), dead, dead),
    'Forming',
    'A new cluster begins when all its servers have met: 1 of 3 answer.',
  ],
] as const

for (const [what, view, word, sentence] of cases) {
  t.test(`${what}: ${word}`, (t) => {
    const health = healthOf(view)
    t.equal(health.word, word)
    t.match(health.sentence, sentence)
    const levels: Readonly<Record<string, string>> = { Healthy: 'healthy', Degraded: 'degraded', Forming: 'degraded' }
    t.equal(health.level, levels[word] ?? 'down')
    t.end()
  })
}
