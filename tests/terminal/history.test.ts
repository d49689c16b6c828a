import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { History } from '@synod/terminal'

function stateHome(directory: string): string {
  process.env['XDG_STATE_HOME'] = directory
  return join(directory, 'synod', 'some-history')
}

t.test('what was typed is there in the next prompt, the newest first, and only for the user', (t) => {
  const file = stateHome(t.testdir())
  const history = new History('some-history')
  t.strictSame(history.lines, [])
  history.add('set a 1')
  new History('some-history').add('get a')
  t.strictSame(new History('some-history').lines, ['get a', 'set a 1'])
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.end()
})

t.test('the file does not grow for ever', (t) => {
  const file = stateHome(t.testdir({ synod: {} }))
  writeFileSync(file, Array.from({ length: 2001 }, (_, n) => `get ${n}\n`).join(''))
  t.match(new History('some-history').lines, { length: 1000, 0: 'get 2000' })
  t.equal(readFileSync(file, 'utf8').trim().split('\n').length, 1000)
  t.end()
})

t.test('without a place for the file the prompt works nevertheless', (t) => {
  stateHome(t.testdir({ synod: 'a file where the directory should be' }))
  const history = new History('some-history')
  t.doesNotThrow(() => {
    history.add('get a')
  })
  t.strictSame(history.lines, [])
  t.end()
})
