import t from 'tap'
import { ClientError } from '@synod/paxos'
import { connectKvstore } from '@synod/kvstore'
import { complete } from '@synod/kvstore/internal/cli/completion'
import { promptProgram } from '@synod/kvstore/internal/cli/interpreter'
import { Cluster } from '../support/cluster.js'

const cluster = await Cluster.start(t, { count: 1 })
const store = connectKvstore({ servers: cluster.addresses })
t.teardown(() => store.close())

await t.test('each method answers what happened', async (t) => {
  t.equal(await store.get('k'), null)
  t.strictSame(await store.set('k', 'v'), { existed: false })
  t.equal(await store.get('k'), 'v')
  t.strictSame(await store.cas('k', null, 'w'), { swapped: false, current: 'v' })
  t.strictSame(await store.cas('k', 'v', null), { swapped: true })
  t.strictSame(await store.delete('k'), { existed: false })
  t.equal(await store.count(), 0)
})

await t.test('list and keys walk over all pages, from where and as far as is wanted', async (t) => {
  const keys = Array.from({ length: 10_050 }, (_, n) => `w/${String(n).padStart(5, '0')}`)
  await Promise.all(keys.map((key) => store.set(key, key.toUpperCase())))
  const walk = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
    const found: T[] = []
    for await (const item of items) found.push(item)
    return found
  }
  t.strictSame(await walk(store.keys('w/')), keys)
  t.strictSame(
    await walk(store.list('w/')),
    keys.map((key) => [key, key.toUpperCase()]),
  )
  t.strictSame(await walk(store.keys('w/', { limit: 10_001, after: 'w/00009' })), keys.slice(10, 10_011))
  t.strictSame(await walk(store.list('w/0000', { limit: 2 })), [
    ['w/00000', 'W/00000'],
    ['w/00001', 'W/00001'],
  ])
  t.strictSame(await walk(store.keys('nothing')), [])
  t.equal(await store.count('w/1'), 50)
  await Promise.all(keys.map((key) => store.delete(key)))
})

await t.test('a key or value outside the limits is refused, and surely not stored', async (t) => {
  for (const [key, value] of [
    ['', 'v'],
    ['\ud800', 'v'],
    ['k', 'a\udc00'],
    ['k'.repeat(4097), 'v'],
  ] as const) {
    const error = await store.set(key, value).then(
      () => undefined,
      (error: unknown) => error,
    )
    t.match(error, { code: 'BAD_OPERATION', mayHaveHappened: false })
    t.ok(error instanceof ClientError)
  }
  t.equal(await store.count(), 0)
})

await t.test('Tab offers commands, options and keys, in quotes where they need them', async (t) => {
  await store.set('user/ada lovelace', '')
  await store.set('user/bob', '')
  const program = promptProgram(
    () => undefined,
    () => Promise.resolve(),
  )
  const offers = (line: string): Promise<[string[], string]> => complete(program, store, line)
  t.strictSame(await offers('c'), [['cas ', 'count '], 'c'])
  t.match((await offers(''))[0], ['help ', 'exit ', 'get '])
  t.strictSame(await offers('get us'), [['"user/ada lovelace" ', 'user/bob '], 'us'])
  t.strictSame(await offers('get "user/ada l'), [['"user/ada lovelace" '], '"user/ada l'])
  t.strictSame(await offers('get '), [['"user/ada lovelace" ', 'user/bob '], ''])
  t.strictSame(await offers('cas --absent user/b'), [['user/bob '], 'user/b'])
  t.strictSame(await offers('set user/bob us'), [[], 'us'], 'a value is not a key')
  t.strictSame(await offers('list --k'), [['--keys '], '--k'])
  t.strictSame(await offers('status '), [[], ''])
})
