/** Lines are cut at the terminal's edge. */
import { MAX_TEXT } from '@synod/chatroom'
import { wrap } from '@synod/chatroom/internal/cli/wrap'
import { harmless } from '@synod/terminal'
import t from 'tap'

t.test('a line is cut at a space, or within a word that is longer than a row', (t) => {
  const cases: [line: string, width: number, rows: string[]][] = [
    ['', 5, ['']],
    ['one two three', 20, ['one two three']],
    ['one two three', 7, ['one two', 'three']],
    ['one two three', 8, ['one two', 'three']],
    ['one two three', 6, ['one', 'two', 'three']],
    ['a sesquipedalian', 5, ['a ses', 'quipe', 'dalia', 'n']],
    ['abcde fgh', 5, ['abcde', 'fgh']],
    ['a      b', 4, ['a   ', '  b']],
    ['漢字漢字', 5, ['漢字', '漢字']],
    ['ab👨‍👩‍👧👨‍👩‍👧', 4, ['ab👨‍👩‍👧', '👨‍👩‍👧']],
    ['e\u0301e\u0301e\u0301', 2, ['e\u0301e\u0301', 'e\u0301']],
  ]
  for (const [line, width, rows] of cases) t.strictSame(wrap(line, width), rows, `"${line}" at ${width}`)
  t.end()
})

/** Columns of what the next test writes. */
const columns = (row: string): number => row.replaceAll('👍🏽', '漢').replace(/[漢字]/g, 'xx').length

t.test('no row is too wide, and nothing but spaces is lost', (t) => {
  const words = ['a', 'bc', 'words', '漢字', '👍🏽', 'sesquipedalian', '', 'é', 'שלום', '\\u202e']
  for (let seed = 1; seed <= 200; seed += 1) {
    const line = Array.from({ length: 30 }, (_, at) => words[(seed * (at + 7) * 31 + at * at) % words.length]).join(' ')
    const width = 4 + (seed % 20)
    const rows = wrap(line, width)
    t.ok(rows.every((row) => columns(row) <= width))
    t.equal(rows.join('').replaceAll(' ', ''), line.replaceAll(' ', ''))
  }
  t.end()
})

t.test('a text that is meant to take long does not', (t) => {
  const hostile = ['\u0001', 'x', ' ', '漢', '\u200d', '👨‍👩‍👧‍👦', 'a\u0301', '\u0001 ', '\u0001漢']
  for (const part of hostile) {
    const text = harmless(part.repeat(MAX_TEXT / part.length))
    const began = performance.now()
    wrap(text, 73)
    t.ok(performance.now() - began < 2_000, JSON.stringify(part))
  }
  t.end()
})
