import t from 'tap'
import { cutLine, splitWords } from '@synod/kvstore/internal/cli/words'
import { rest, word } from '@synod/terminal'

t.test('a line is cut at its spaces, and quotes keep them', (t) => {
  const cases: [string, string[]][] = [
    ['', []],
    ['   ', []],
    ['get k', ['get', 'k']],
    ['  set \t k   v  ', ['set', 'k', 'v']],
    ['set "a key" "two words"', ['set', 'a key', 'two words']],
    [`set 'a "key"' "it's"`, ['set', 'a "key"', "it's"]],
    ['set k ""', ['set', 'k', '']],
    ['set a" b "c d', ['set', 'a b c', 'd']],
    ['set k "line\\nbreak\\ttab \\"quoted\\" \\u00e9 \\ud83d\\ude00"', ['set', 'k', 'line\nbreak\ttab "quoted" é 😀']],
    ['set path C:\\temp\\new', ['set', 'path', 'C:\\temp\\new']],
    [`set k 'raw\\n'`, ['set', 'k', 'raw\\n']],
  ]
  for (const [line, words] of cases) t.strictSame(splitWords(line), words, line)
  t.end()
})

t.test('a quote that is not closed, or an escape that does not exist, is said', (t) => {
  t.throws(() => splitWords('set k "v'), { code: 'USAGE', message: 'a quote is not closed' })
  t.throws(() => splitWords("set k 'v"), { code: 'USAGE' })
  t.throws(() => splitWords('set k "v\\'), { code: 'USAGE' })
  t.throws(() => splitWords('set k "\\x"'), { code: 'USAGE', message: /"\\x" is not an escape/ })
  t.throws(() => splitWords('set k "\\u12"'), { code: 'USAGE' })
  t.throws(() => splitWords('set k "\\__proto__"'), { code: 'USAGE' })
  t.end()
})

t.test('completion sees where the last word begins, and whether it is within quotes', (t) => {
  t.strictSame(cutLine('get "a b'), {
    words: [
      { text: 'get', start: 0 },
      { text: 'a b', start: 4 },
    ],
    open: true,
  })
  t.strictSame(cutLine('get ab').words.at(-1), { text: 'ab', start: 4 })
  t.end()
})

t.test('what is printed as a word is read back as it was', (t) => {
  const texts = [
    'plain',
    'a b',
    '',
    '"',
    "it's",
    'tab\t',
    'new\nline',
    '\u001b[31mred',
    '\u200e',
    '\u007f',
    'é 😀',
    '\\',
    '\u{e0001}',
  ]
  for (const text of texts) {
    t.strictSame(splitWords(`get ${word(text)}`), ['get', text], JSON.stringify(text))
    t.notMatch(rest(text), /[\p{Cc}\p{Cf}]/u, 'nothing that a terminal would act on')
  }
  t.equal(rest('two words'), 'two words')
  t.equal(word('two words'), '"two words"')
  t.end()
})
