/** Feeds are judged by one another: what is missing, doubled, out of order or different is found, and nothing else. */
import { judgeFeeds } from '@synod/harness/internal/run/feed-judge'
import type { Heard } from '@synod/harness/internal/run/subscribers'
import type { Announcement } from '@synod/harness/internal/subject/subject'
import { ClientError, FeedError } from '@synod/paxos'
import t from 'tap'

/** `4a 4b 7c`: slots, each with events, which are letters. */
function heard(name: string, first: number | null, said: string, state: Heard['state'] = 'open'): Heard {
  const indexes = new Map<number, number>()
  const events = said.split(' ').flatMap((word) => {
    const [, slot, value, at] = /^(\d+)([a-z])(\d?)$/.exec(word) ?? []
    if (slot === undefined) return []
    const index = at === undefined || at === '' ? (indexes.get(Number(slot)) ?? 0) : Number(at)
    indexes.set(Number(slot), index + 1)
    return [{ slot: Number(slot), index, value }]
  })
  return { name, servers: [0], first, events, state }
}

/** What is complained of: `!` before what cannot come right any more. */
function complaints(
  subscribers: readonly Heard[],
  judge: Heard | null = null,
  announced: readonly Announcement[] = [],
  live: readonly string[] = ['a', 'b', 'the judge'],
): string[] {
  const all = judgeFeeds(subscribers, judge, announced, ({ name, state }) => state === 'open' && live.includes(name))
  return all.map(({ what, mayPass }) => `${mayPass ? '' : '!'}${what}`)
}

/** Slot 4 emits x, slot 5 nothing. */
const ACKNOWLEDGED: Announcement[] = [
  { slot: 4, what: 'an x', isEvent: (value) => value === 'x' },
  { slot: 5, what: 'a look', isEvent: null },
]

t.test('those who have heard the same, each from where it began, are right', (t) => {
  t.strictSame(
    complaints([heard('a', 1, '2a 4b 4c 7d'), heard('b', 4, '4b 4c 7d')], heard('the judge', 1, '2a 4b 4c 7d')),
    [],
  )
  t.strictSame(complaints([heard('a', 9, ''), heard('b', 1, '')]), [])
  t.strictSame(complaints([], heard('the judge', 1, '4x'), ACKNOWLEDGED), [])
  t.end()
})

t.test('what is missing between two events never comes; behind the last it may, as long as somebody listens', (t) => {
  const whole = heard('a', 1, '2a 4b 7c')
  const missing = ['!feed "b" has not told event 0 of slot 4, which feed "a" has; it has told slot 7 since']
  t.strictSame(complaints([whole, heard('b', 1, '2a 7c')]), missing)
  t.strictSame(complaints([whole, heard('b', 1, '2a 7c')], null, [], []), missing)
  const late = ['feed "b" has not told event 0 of slot 4, which feed "a" has']
  t.strictSame(complaints([whole, heard('b', 1, '2a')]), late)
  t.strictSame(complaints([whole, heard('b', 1, '2a')], null, [], ['a']), [], 'its servers are down')
  t.strictSame(complaints([whole, heard('b', 1, '2a', 'closed')]), [], 'it wants no more')
  t.strictSame(complaints([whole, heard('b', null, '')]), ['feed "b" has not begun'])
  t.end()
})

t.test('a part of a slot is not all of it', (t) => {
  const [what] = complaints([heard('a', 1, '4b 4c 7d'), heard('b', 1, '4b 7d')])
  t.equal(what, '!feed "b" has not told event 1 of slot 4, which feed "a" has; it has told slot 7 since')
  t.end()
})

t.test('what is doubled, out of order, or from before the beginning is found in one feed alone', (t) => {
  for (const [first, said, what] of [
    [1, '2a 2a0', '!feed "a" told event 0 of slot 2 after event 0 of slot 2'],
    [1, '4b 2a', '!feed "a" told event 0 of slot 2 after event 0 of slot 4'],
    [1, '4b1', '!feed "a" told event 1 of slot 4 first'],
    [1, '2a 4b2', '!feed "a" told event 2 of slot 4 after event 0 of slot 2'],
    [3, '2a 4b', '!feed "a" told event 0 of slot 2, though it began with slot 3'],
  ] as const)
    t.equal(complaints([heard('a', first, said)])[0], what)
  t.end()
})

t.test('the same event says the same to all', (t) => {
  const [what] = complaints([heard('a', 1, '2a 4b'), heard('b', 1, '2a 4c')])
  t.equal(what, '!feed "b" told "c" as event 0 of slot 4, and feed "a" told "b"')
  t.end()
})

t.test('what was acknowledged is in its slot, once, and alone', (t) => {
  const judge = (said: string, first = 1): Heard => heard('the judge', first, said)
  t.strictSame(complaints([], judge('2a'), ACKNOWLEDGED), ['no feed has told an x, which was acknowledged in slot 4'])
  t.strictSame(complaints([], judge('2a 7c'), ACKNOWLEDGED), [
    '!no feed has told an x, which was acknowledged in slot 4',
  ])
  t.strictSame(complaints([], judge('4y 7c'), ACKNOWLEDGED), ['!slot 4 told "y", and not an x'])
  t.strictSame(complaints([], judge('4x 4x 7c'), ACKNOWLEDGED), ['!slot 4 told "x", "x", and not an x'])
  t.strictSame(complaints([], judge('4x 5c'), ACKNOWLEDGED), ['!slot 5 told "c", though a look tells nothing'])
  t.strictSame(complaints([], judge('7c', 6), ACKNOWLEDGED), [], 'nobody can hear it any more')
  const behind = heard('a', 1, '2a')
  const ahead = heard('b', 6, '7c')
  const late = 'no feed has told an x, which was acknowledged in slot 4'
  t.ok(complaints([behind, ahead], null, ACKNOWLEDGED).includes(late), 'who is ahead began behind it')
  t.end()
})

t.test('a feed may end because events were dropped; not while they are still there, and for no other reason', (t) => {
  const lagged = heard('a', 1, '2a', new FeedError('LAGGED', 'too slow', 7))
  t.strictSame(complaints([lagged], heard('the judge', 7, '7c')), [])
  t.strictSame(complaints([lagged], heard('the judge', 1, '2a 4b 7c')), [
    '!feed "a" ended with LAGGED, though the events from slot 3 on are still there',
  ])
  const refused = heard('a', 1, '2a', new ClientError('INCOMPATIBLE', 'another service'))
  t.strictSame(complaints([refused]), ['!feed "a" ended with INCOMPATIBLE: another service'])
  t.end()
})
