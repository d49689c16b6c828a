import t from 'tap'
import { Answers, LivesKnown } from '@synod/paxos/internal/protocol/lives'

const servers = (count: number) => ({ servers: Array.from({ length: count }, (_, id) => id) })

t.test('lives only grow; whoever is not named was never repaired', (t) => {
  const lives = new LivesKnown()
  t.strictSame(lives.told, [])
  t.equal(lives.of(4), 0)
  t.equal(lives.raise(2, 1), true)
  t.strictSame(lives.told, [0, 0, 1])
  t.equal(lives.raise(2, 1), false, 'no news')
  t.equal(lives.raise(2, 0), false)
  t.equal(lives.raise(0, 3), true)
  t.strictSame(lives.told, [3, 0, 1])
  t.equal(lives.of(2), 1)
  t.equal(lives.of(9), 0)
  t.end()
})

t.test('what another server knows is taken over where it is more', (t) => {
  const lives = new LivesKnown()
  lives.raise(1, 5)
  t.equal(lives.merge([2, 4]), true)
  t.strictSame(lives.told, [2, 5])
  t.equal(lives.merge([0, 5]), false)
  t.equal(lives.merge([]), false)
  t.equal(lives.merge([0, 0, 0, 1]), true)
  t.strictSame(lives.told, [2, 5, 0, 1])
  t.end()
})

t.test('what was told stays as it was told', (t) => {
  const lives = new LivesKnown()
  lives.raise(0, 1)
  const { told } = lives
  lives.raise(0, 2)
  lives.merge([9, 9])
  t.strictSame(told, [1])
  t.end()
})

t.test('answers count together unless one names a later life of another’s sender', (t) => {
  const answers = new Answers()
  answers.add(0, [])
  answers.add(1, [0, 0, 1])
  t.equal(answers.isQuorum(servers(3)), true)
  t.strictSame(answers.outlived(), [])
  answers.add(2, [])
  t.strictSame(answers.outlived(), [2])
  t.equal(answers.isQuorum(servers(3)), true, 'the other two')
  t.equal(answers.isQuorum(servers(5)), false, 'three answers, two that count')
  answers.add(2, [0, 0, 1])
  t.strictSame(answers.outlived(), [])
  t.equal(answers.isQuorum(servers(5)), true)
  t.end()
})

t.test('a server’s own answer of its new life outlives none of others, nor itself', (t) => {
  const answers = new Answers()
  answers.add(2, [0, 0, 4])
  answers.add(0, [0, 0, 3])
  answers.add(1, [])
  t.strictSame(answers.outlived(), [])
  answers.add(0, [0, 0, 5])
  t.strictSame(answers.outlived(), [2])
  t.end()
})

t.test('two that each know a later life of the other do not count, neither of them', (t) => {
  const answers = new Answers()
  answers.add(0, [0, 1])
  answers.add(1, [1, 0])
  answers.add(2, [])
  t.strictSame(answers.outlived().sort(), [0, 1])
  t.equal(answers.isQuorum(servers(3)), false)
  t.end()
})

t.test('of one server the answer of the latest life is kept, and what is dropped is gone', (t) => {
  const answers = new Answers()
  answers.add(1, [0, 2])
  answers.add(1, [0, 1])
  answers.add(0, [0, 2])
  t.strictSame(answers.outlived(), [])
  answers.drop(1)
  t.equal(answers.has(1), false)
  t.equal(answers.isQuorum(servers(3)), false)
  answers.add(1, [0, 1])
  t.strictSame(answers.outlived(), [1], 'what came late is outlived by what others know')
  t.end()
})
