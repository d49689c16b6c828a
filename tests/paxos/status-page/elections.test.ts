import { electionsOf } from '@synod/paxos/internal/status-page/elections'
import t from 'tap'
import { clusterOf, working } from './views.js'

const NOW = 1_000_000

t.test('what several servers have seen is one election, at the time of the first', (t) => {
  const view = clusterOf(
    working(0, { elections: [{ agoMs: 5_000, leader: 0, ballot: '2.0' }] }),
    working(1, { elections: [{ agoMs: 4_900, leader: 0, ballot: '2.0' }] }),
    new Error('gone'),
  )
  t.strictSame(electionsOf(view, NOW), [{ at: NOW - 5_000, leader: 0, ballot: '2.0', seenBy: [0, 1] }])
  t.end()
})

t.test('the loss of a leader comes before the next one, though somebody noticed it later', (t) => {
  const view = clusterOf(
    working(0, {
      elections: [
        { agoMs: 1_000, leader: 2, ballot: '2.2' },
        { agoMs: 1_050, leader: null, ballot: '1.1' },
        { agoMs: 60_000, leader: 1, ballot: '1.1' },
      ],
    }),
    working(1, { elections: [{ agoMs: 1_200, leader: 2, ballot: '2.2' }] }),
  )
  t.strictSame(
    electionsOf(view, NOW).map(({ leader, seenBy }) => [leader, seenBy]),
    [
      [2, [0, 1]],
      [null, [0]],
      [1, [0]],
    ],
  )
  t.end()
})

t.test('a server that loses and finds its leader again has seen two elections of one ballot', (t) => {
  const elections = [
    { agoMs: 1_000, leader: 0, ballot: '1.0' },
    { agoMs: 2_000, leader: null, ballot: '1.0' },
    { agoMs: 3_000, leader: 0, ballot: '1.0' },
  ]
  t.strictSame(
    electionsOf(clusterOf(working(0, { elections })), NOW).map(({ at, leader }) => [NOW - at, leader]),
    elections.map(({ agoMs, leader }) => [agoMs, leader]),
  )
  t.end()
})

t.test('only the latest are told', (t) => {
  const elections = Array.from({ length: 16 }, (_, i) => ({ agoMs: i * 60_000, leader: i % 2, ballot: `${40 - i}.0` }))
  const others = elections.map(({ ballot, ...rest }) => ({ ...rest, ballot: `${ballot}1` }))
  const told = electionsOf(clusterOf(working(0, { elections }), working(1, { elections: others })), NOW)
  t.equal(told.length, 16)
  t.equal(told[0]?.at, NOW)
  t.equal(told[15]?.at, NOW - 7 * 60_000)
  t.end()
})
