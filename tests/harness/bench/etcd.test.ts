/** The other side of the comparison, on real etcd servers where those are installed: CI need not have them. */
import { fileURLToPath } from 'node:url'
import { isInstalled, EtcdSystem } from '@synod/harness/internal/bench/etcd/system'
import { goLoader } from '@synod/harness/internal/bench/etcd/go-driver'
import type { Ratio } from '@synod/harness/internal/bench/compare'
import type { Row } from '@synod/harness/internal/bench/run'
import t from 'tap'
import { run } from '../../support/command.js'

t.setTimeout(240_000)

const harness = fileURLToPath(new URL('../../../../packages/harness/bin/harness.js', import.meta.url))

t.test('without etcd, a sentence says how to get it', async (t) => {
  const { code, stderr } = await run(harness, ['bench', '--peer', 'etcd', '--seconds', '1'], { env: { PATH: '' } })
  t.equal(code, 2)
  t.match(stderr, /^harness: --peer etcd needs etcd: .*apt-get install etcd-server.*\n$/)
})

if (isInstalled('etcd')) {
  t.test('our client does in etcd what it says', async (t) => {
    const etcd = await EtcdSystem.start(3)
    t.teardown(() => etcd.close())
    const [store] = await etcd.connect(1)
    if (store === undefined) throw new Error('no connection')
    const endpoint = await etcd.endpoint()
    const valueOf = async (key: string): Promise<string | undefined> => {
      const body = JSON.stringify({ key: Buffer.from(key).toString('base64') })
      const answer = await fetch(`http://${endpoint}/v3/kv/range`, { method: 'POST', body })
      const { kvs } = (await answer.json()) as { kvs?: { value: string }[] }
      return kvs?.[0] && Buffer.from(kvs[0].value, 'base64').toString()
    }
    const before = await etcd.tally()
    const long = 'long'.repeat(50_000)
    await store.set('a', 'one')
    await store.set('b', long)
    t.equal(await valueOf('a'), 'one')
    t.equal(await valueOf('b'), long)
    await store.cas('a', 'two', 'three')
    t.equal(await valueOf('a'), 'one', 'another value than the expected one stays')
    await store.cas('a', 'one', 'two')
    t.equal(await valueOf('a'), 'two')
    await store.get('a')
    await t.rejects(store.set('', 'a key must not be empty'), { message: /gRPC status 3/ })
    const after = await etcd.tally()
    t.ok(after.commands - before.commands >= 4, 'those that write are in the log')
    t.ok(after.syncs > before.syncs)
    t.strictSame(
      (await etcd.members()).map(({ role }) => role),
      ['leader', 'follower', 'follower'],
    )
  })

  t.test('both are measured by the same load, and compared', async (t) => {
    const isGo =
      (await goLoader((line) => {
        t.comment(line)
      })) !== undefined
    if (!isGo) t.comment('not by its own client: Go, or the sources of that client, are not installed')
    const short = ['--seconds', '1', '--warm-up', '0.5', '--keys', '500', '--rounds', '1', '--mix', '1:2:1']
    const { code, stdout, stderr } = await run(harness, [
      'bench',
      '--peer',
      'etcd',
      '--clients',
      '8',
      '--json',
      ...short,
    ])
    t.equal(code, 0, stdout + stderr)
    const { rows, ratios } = JSON.parse(stdout) as { rows: Row[]; ratios: Ratio[] }
    const wanted = ['synod by node', 'etcd by node', 'etcd by go'].slice(0, isGo ? 3 : 2)
    t.strictSame(
      rows.map(({ system, generator }) => `${system} by ${generator}`),
      wanted,
    )
    for (const row of rows) {
      t.ok(row.operations > 50)
      t.strictSame(row.failures, {})
      t.ok(row.p50 > 0 && row.p50 <= row.p99)
      t.equal(row.costs.length, 4)
      t.ok(row.costs.every(({ cpu, memory }) => cpu > 0 && memory > 4 << 20))
      t.ok(row.syncs > 10)
    }
    t.equal(ratios.length, rows.length - 1)
    for (const [index, { rate, p50 }] of ratios.entries()) {
      t.ok(Math.abs(rate - (rows[0]?.rate ?? NaN) / (rows[index + 1]?.rate ?? NaN)) < 1e-9)
      t.ok(Math.abs(p50 - (rows[0]?.p50 ?? NaN) / (rows[index + 1]?.p50 ?? NaN)) < 1e-9)
    }
  })
} else t.comment('etcd is not installed: it is not measured here')
