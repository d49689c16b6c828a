import { harmless } from '@synod/terminal'
import t from 'tap'

t.test('text of others can do nothing to the terminal', (t) => {
  t.equal(
    harmless('\u001b]0;title\u0007\u001b[2Jhello\r\u009b1m'),
    '\\u001b]0;title\\u0007\\u001b[2Jhello\\u000d\\u009b1m',
  )
  t.equal(harmless('abc\u202edef\u2066\u200f'), 'abc\\u202edef\\u2066\\u200f')
  t.equal(
    harmless('in\u00advi\u200bsi\ufeffble\u2028 \u{e0041}'),
    'in\\u00advi\\u200bsi\\ufeffble\\u2028 \\udb40\\udc41',
  )
  t.end()
})

t.test('text of others stays what it is', (t) => {
  for (const text of ['two\nlines', 'שלום', '漢字', '👩‍👩‍👧', 'می‌خواهم', 'é', '<b>&amp;']) t.equal(harmless(text), text)
  t.end()
})
