import t from 'tap'
import { kvOpSchema, MAX_KEY_BYTES, MAX_PAGE, MAX_VALUE_BYTES } from '@synod/kvstore/internal/command'

function problems(op: unknown): string[] {
  const result = kvOpSchema.safeParse(op)
  return result.success ? [] : result.error.issues.map((issue) => issue.message)
}

t.test('a key has 1 to 4096 bytes of UTF-8, whatever it is made of', (t) => {
  const get = (key: unknown): string[] => problems({ type: 'get', key })
  t.strictSame(get('a'), [])
  t.strictSame(get('a'.repeat(MAX_KEY_BYTES)), [])
  t.strictSame(get('é'.repeat(MAX_KEY_BYTES / 2)), [], 'two bytes each')
  t.strictSame(get('😀'.repeat(MAX_KEY_BYTES / 4)), [], 'four bytes each, in two code units')
  t.strictSame(get(''), ['a key must not be empty'])
  t.strictSame(get('a'.repeat(MAX_KEY_BYTES + 1)), ['a key must have at most 4096 bytes, and this one has 4097'])
  t.strictSame(get('€'.repeat(1366)), ['a key must have at most 4096 bytes, and this one has 4098'], 'three bytes each')
  t.strictSame(get(`${'😀'.repeat(MAX_KEY_BYTES / 4)}!`), ['a key must have at most 4096 bytes, and this one has 4097'])
  t.strictSame(get(7), ['a key must be a string'])
  t.strictSame(get(undefined), ['a key must be a string'])
  t.end()
})

t.test('a value has at most 1 MiB of UTF-8, and may be empty', (t) => {
  const set = (value: unknown): string[] => problems({ type: 'set', key: 'k', value })
  t.strictSame(set(''), [])
  t.strictSame(set('a'.repeat(MAX_VALUE_BYTES)), [])
  t.strictSame(set('é'.repeat(MAX_VALUE_BYTES / 2)), [])
  t.match(set('a'.repeat(MAX_VALUE_BYTES + 1)), ['a value must have at most 1048576 bytes, and this one has 1048577'])
  t.match(set(`é${'a'.repeat(MAX_VALUE_BYTES - 1)}`), [/this one has 1048577/])
  t.strictSame(set(null), ['a value must be a string'])
  t.end()
})

t.test('a lone surrogate is refused, because UTF-8 has none', (t) => {
  for (const text of ['\ud800', 'a\udc00b', '\udc00\ud800']) {
    t.match(problems({ type: 'get', key: text }), ['a key must be well-formed Unicode, without lone surrogates'])
    t.match(problems({ type: 'set', key: 'k', value: text }), [/well-formed/])
    t.match(problems({ type: 'list', prefix: text, after: null, limit: 1 }), [/well-formed/])
  }
  t.strictSame(problems({ type: 'get', key: '\ud83d\ude00' }), [], 'a pair of them is a character')
  t.end()
})

t.test('compare-and-swap takes null for "absent" on both sides', (t) => {
  t.strictSame(problems({ type: 'cas', key: 'k', expected: null, value: 'v' }), [])
  t.strictSame(problems({ type: 'cas', key: 'k', expected: 'v', value: null }), [])
  t.not(problems({ type: 'cas', key: 'k', value: 'v' }).length, 0, 'left out is not null')
  t.end()
})

t.test('what is not an operation is refused', (t) => {
  for (const op of [null, 7, 'get', [], {}, { type: 'drop' }, { type: '__proto__' }, { key: 'k' }]) {
    t.not(problems(op).length, 0, JSON.stringify(op))
  }
  t.match(problems({ type: 'get', key: 'k', ttl: 5 }), [/ttl/], 'a field that would be ignored is named')
  t.match(problems({ type: 'list', prefix: '', after: null, limit: 0 }), ['a limit must be at least 1'])
  t.match(problems({ type: 'list', prefix: '', after: null, limit: MAX_PAGE + 1 }), ['a limit must be at most 10000'])
  t.not(problems({ type: 'list', prefix: '', after: null, limit: 1.5 }).length, 0)
  t.end()
})
