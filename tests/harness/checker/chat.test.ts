/** Rooms in the checker: messages that have numbers, are edited and erased, and what is said when that goes wrong. */
import { check } from '@synod/harness/internal/checker/check'
import { chatModel } from '@synod/harness/internal/checker/models/chat'
import t from 'tap'
import { Story } from './story.js'

/** Why the story's history is not linearizable. */
function tell({ events }: Story): string {
  const verdict = check(events, chatModel)
  return verdict.result === 'not linearizable' ? verdict.offence.why : verdict.result
}

t.test('messages that are changed: what is lost, doubled, brought back, or told wrongly is said', (t) => {
  /** Three messages, the second edited and the third erased. */
  const room = (): Story => {
    const story = new Story()
    for (const [index, message] of ['one', 'two', 'three'].entries())
      story.did('A', 'append', 'hall', message, { number: index + 1 })
    return story.did('A', 'edit', 'hall', [2, 'zwei']).did('A', 'erase', 'hall', 3)
  }
  const read = (...messages: (string | null)[]): string => tell(room().did('B', 'read', 'hall', undefined, messages))
  t.equal(
    check(room().did('B', 'read', 'hall', undefined, ['one', 'zwei', null]).events, chatModel).result,
    'linearizable',
  )
  const only = 'it can only have found ["one", "zwei", null]'
  t.equal(read('one', 'two', null), `process B's read of "hall" found ["one", "two", null]; ${only}`, 'an edit is lost')
  t.equal(
    read('one', 'zwei', 'three'),
    `process B's read of "hall" found ["one", "zwei", "three"]; ${only}`,
    'brought back',
  )
  t.equal(read('one', 'zwei'), `process B's read of "hall" found ["one", "zwei"]; ${only}`, 'lost')
  t.equal(
    read('one', 'zwei', null, 'one'),
    `process B's read of "hall" found ["one", "zwei", null, "one"]; ${only}`,
    'doubled',
  )
  t.equal(
    tell(room().did('B', 'append', 'hall', 'four', { number: 5 })),
    `process B's append of "hall", "four", was told {"number":5}; it can only have found ["one", "zwei", null]`,
  )
  t.equal(
    tell(room().did('B', 'edit', 'hall', [3, 'drei'])),
    `process B's edit of "hall", message 3 to "drei", was done; it can only have found ["one", "zwei", null]`,
  )
  const refused = room().begin('B', 'erase', 'hall', 2).end('B', 'fail', { refused: 'NO_MESSAGE' })
  t.equal(
    tell(refused),
    `process B's erase of "hall", message 2, was refused with "NO_MESSAGE"; it can only have found ["one", "zwei", null]`,
  )
  t.end()
})

t.test('of a long log that differs in a message or two, these are told', (t) => {
  const story = new Story()
  for (let number = 1; number <= 9; number++) story.did('A', 'append', 'hall', `m${number}`, { number })
  story.did('A', 'edit', 'hall', [2, 'edited'])
  const found = Array.from({ length: 9 }, (_, index) => `m${index + 1}`)
  t.match(
    tell(story.did('B', 'read', 'hall', undefined, found)),
    /found \[… .*\] \(9 in all\); it can only have found "edited" and not "m2" as message 2$/,
  )
  t.end()
})

t.test('a number that is the message itself, as other tools repeat it, tells no place; people are passed over', (t) => {
  const story = new Story()
    .did('A', 'append', 'hall', 7, 7)
    .did('A', 'append', 'hall', 3, 3)
    .did('A', 'join', 'hall', 'ann', { id: 1 })
    .begin('B', 'who', 'hall')
    .end('B', 'info')
    .did('A', 'leave', 'hall')
    .did('B', 'read', 'hall', undefined, [7, 3])
  t.equal(check(story.events, chatModel).result, 'linearizable')
  t.end()
})
