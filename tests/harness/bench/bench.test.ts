/** The bench on real servers, for a moment: that its figures fit together. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { main } from '@synod/harness/internal/cli/program'
import type { Row } from '@synod/harness/internal/bench/run'
import t from 'tap'
import { Cluster } from '../../support/cluster.js'
import type { Outcome } from '../../support/command.js'
import { run } from '../../support/command.js'

t.setTimeout(120_000)

const harness = fileURLToPath(new URL('../../../../packages/harness/bin/harness.js', import.meta.url))
const SHORT = ['--seconds', '1', '--warm-up', '0.5', '--keys', '500']

function bench(...args: string[]): Promise<Outcome> {
  return run(harness, ['bench', ...args])
}

t.test('its figures fit together', async (t) => {
  const { code, stdout, stderr } = await bench('--clients', '1,32', '--json', ...SHORT)
  t.equal(code, 0, stdout + stderr)
  const { rows } = JSON.parse(stdout) as { rows: Row[] }
  t.strictSame(
    rows.map(({ system, clients, connections }) => ({ system, clients, connections })),
    [1, 32].map((clients) => ({ system: 'synod', clients, connections: 8 })),
  )
  for (const row of rows) {
    t.ok(row.operations > 20)
    t.ok(row.seconds >= 1 && row.seconds < 5, `${row.seconds} s`)
    t.ok(Math.abs(row.rate * row.seconds - row.operations) < 1)
    const { p50, p90, p99, p999, max } = row
    t.ok(p50 > 0 && p50 <= p90 && p90 <= p99 && p99 <= p999 && p999 <= max * 1.001)
    t.ok(
      Math.abs(row.mean * row.rate - row.clients * 1000) < row.clients * 100,
      'Little: rate times latency is the clients',
    )
    t.strictSame(row.failures, {})
    t.strictSame(
      row.costs.map(({ role }) => role),
      ['leader', 'follower', 'follower', 'generator'],
    )
    for (const { cpu, share, memory, written } of row.costs) {
      t.ok(memory > 20 << 20 && memory < 1 << 30)
      t.ok(Math.abs((cpu * row.rate) / 1e6 - share) < 0.01)
      t.ok(share > 0 && share < 3)
      t.ok(written > 50)
    }
    t.ok(row.syncs > 10)
    t.ok(
      Math.abs(((row.commandsPerSync ?? NaN) * row.syncs) / row.operations - 1) < 0.2,
      'as many commands as operations',
    )
    t.ok(row.loopback > 300, 'each is sent to a server, and from the leader to both others')
  }
  t.ok((rows[1]?.rate ?? 0) > (rows[0]?.rate ?? 0), 'more clients get more done')
})

t.test('it measures a cluster that runs already, at a rate, and prints a table', async (t) => {
  const cluster = await Cluster.start(t)
  const load = ['--clients', '50', '--rate', '200', '--mix', '8:1:1', '--distribution', 'zipf', ...SHORT]
  const { code, stdout, stderr } = await bench('--against', cluster.servers, ...load)
  t.equal(code, 0, stdout + stderr)
  const [, row = ''] = stdout.split('\n')
  const [system, , clients, rate] = row.trim().split(/\s+/)
  t.equal(system, 'synod')
  t.equal(clients, '50')
  t.ok(Math.abs(Number(rate) - 200) < 30, `${rate} operations a second`)
})

t.test('a sweep is drawn, and a series is a table', async (t) => {
  const directory = t.testdir()
  const file = join(directory, 'sweep.svg')
  const brief = ['--seconds', '0.5', '--warm-up', '0.2', '--keys', '100']
  const swept = await bench('--clients', '1,8', '--sweep', file, ...brief)
  t.equal(swept.code, 0, swept.stdout + swept.stderr)
  t.match(readFileSync(file, 'utf8'), /^<svg .*<title>Synod, 8 clients: \d+\/s, p99 [\d.]+ ms<\/title>.*<\/svg>\n$/s)
  const grown = await bench('--series', 'connections', '--points', '1,3', '--clients', '2', ...brief)
  t.equal(grown.code, 0, grown.stdout + grown.stderr)
  const cells = grown.stdout.split('\n').map((line) => line.split(' | ').slice(0, 3).join(' '))
  t.match(cells, ['| connections system clients', '| ---: ---: ---:', '| 1 synod 2', '| 3 synod 3'])
})

for (const [wrong, words] of Object.entries({
  '--clients 0': /--clients <list>.*must be a whole number above 0/,
  '--clients 1,x': /--clients <list>.*must be a whole number above 0/,
  '--connections -1': /--connections <number>.*must be a whole number above 0/,
  '--value-size 1048577': /--value-size <bytes>.*at most 1048576 bytes/,
  '--keys 1.5': /--keys <number>.*must be a whole number above 0/,
  '--mix 1:2': /--mix <read:write:cas>.*three whole numbers as in 90:9:1/,
  '--mix 0:0:0': /--mix <read:write:cas>.*not all of them 0/,
  '--distribution pareto': /--distribution <name>.*Allowed choices are uniform, zipf/,
  '--seconds 0': /--seconds <number>.*must be a number above 0/,
  '--warm-up no': /--warm-up <seconds>.*must be a number above 0/,
  '--rate 0': /--rate <number>.*must be a whole number above 0/,
  '--servers 4': /--servers <3\|5\|7>.*must be 3, 5 or 7/,
  '--against nowhere': /--against <hosts>.*addresses as in 127\.0\.0\.1:10000/,
  '--against 127.0.0.1:1': /no server of 127\.0\.0\.1:1 says that it leads/,
  '--peer consul': /--peer <name>.*Allowed choices are etcd/,
  '--peer etcd --against 127.0.0.1:1': /'--peer <name>' cannot be used with option '--against <hosts>'/,
  '--rounds 0': /--rounds <number>.*must be a whole number above 0/,
  '--sweep /nowhere/at/all.svg': /\/nowhere\/at\/all\.svg cannot be written/,
  '--sweep a.svg --rate 5': /'--sweep <file\.svg>' cannot be used with option '--rate <number>'/,
  '--series everything': /--series <name>.*Allowed choices are servers, values, keys, connections/,
  '--series keys --points 0': /--points <list>.*must be a whole number above 0/,
  '--series servers --points 4': /a cluster has 3, 5 or 7 servers here, not 4/,
  '--points 1,2': /--points are those of a --series/,
  '--unknown': /unknown option '--unknown'/,
}))
  t.test(`refused in a sentence: ${wrong}`, async (t) => {
    const said = t.capture(process.stderr, 'write', () => true)
    const code = await main(['node', 'harness', 'bench', ...wrong.split(' ')])
    const sentence = said()
      .flatMap(({ args }) => args)
      .join('')
    t.equal(code, 2)
    t.match(sentence, words)
    t.match(sentence, /^harness: [^\n]+\n$/)
  })

t.test('the same from the command line', async (t) => {
  const { code, stdout, stderr } = await bench('--servers', '2')
  t.equal(code, 2)
  t.equal(stdout, '')
  t.match(stderr, /^harness: [^\n]+must be 3, 5 or 7\.\n$/)
})
