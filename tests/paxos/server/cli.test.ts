/** The server command as a real process. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { ended, run } from './processes.js'
import { freeAddresses, RawClient, temporaryDirectory, until } from './support.js'

t.setTimeout(120_000)

const portOf = (address: string | undefined): string => (address ?? '').replace(/^.*:/, '')

t.test('each option that cannot be used is told in one sentence, with exit code 2', async (t) => {
  const directory = temporaryDirectory(t)
  const hosts = join(directory, 'hosts')
  writeFileSync(hosts, '127.0.0.1:7000\n# the second\n\n127.0.0.1 7001\n')
  const empty = join(directory, 'empty')
  writeFileSync(empty, '# nobody\n')
  const cases: readonly (readonly [string, string])[] = [
    ['', "required option '--id <number>' not specified; see counter-server --help"],
    ['--id 0 --colour red', "unknown option '--colour'; see counter-server --help"],
    ['--id', "option '--id <number>' argument missing; see counter-server --help"],
    ['--id 0 --count 1 --port 7000 more', 'too many arguments. Expected 0 arguments but got 1; see counter-server --help'],
    ['--id one --count 3 --port 7000', '--id must be a whole number, not "one"'],
    ['--id -1 --count 3 --port 7000', '--id must be a whole number, not "-1"'],
    ['--id 3 --count 3 --port 7000', '--id 3 is not one of the 3 servers: ids go from 0 to 2'],
    ['--id 0 --count 0 --port 7000', '--count must be a whole number from 1 to 1000, not 0'],
    ['--id 0 --count 2.5 --port 7000', '--count must be a whole number, not "2.5"'],
    ['--id 0 --count 3', '--port is missing: say on which port this server listens (or list all servers with --peers or --hostfile)'],
    ['--id 0 --port 7000', '--count is missing: say how many servers the cluster has (or list them with --peers or --hostfile)'],
    ['--id 0 --count 3 --port 65536', '--port must be a whole number from 1 to 65535, not 65536'],
    ['--id 0 --count 3 --port 7000 --lease 3000', '--lease: a lease is at most 2000 ms long, not 3000'],
    ['--id 0 --count 3 --port 7000 --heartbeat 0', '--heartbeat must be a whole number of ms from 1 to 60000, not 0'],
    [
      '--id 0 --count 3 --port 7000 --heartbeat 100 --election-timeout 200',
      '--election-timeout must be a whole number of ms from 300 (three heartbeats) to 60000, not 200',
    ],
    ['--id 0 --count 3 --port 65535', 'with --id 0 --count 3 --port 65535 the servers\' ports would be 65535 to 65537: choose another --port, they must be from 1 to 65535'],
    ['--id 0 --peers 10.1.2.3:7000', 'the others are to reach this server at 10.1.2.3:7000, but without --bind it listens on 127.0.0.1 only: add --bind with the address to listen on, and --insecure-bind'],
    ['--id 0 --peers localhost', '--peers, server 0: "localhost" is not an address of the form host:port with a port from 1 to 65535'],
    ['--id 0 --peers a:1,a:1', '--peers: servers 0 and 1 have the same address, a:1'],
    ['--id 0 --count 2 --peers a:1,b:1,c:1', '--count is 2, but 3 addresses are given: leave --count out, or give as many'],
    [`--id 0 --peers a:1 --hostfile ${hosts}`, '--peers and --hostfile say the same thing: give one of them'],
    [`--id 0 --hostfile ${hosts}`, `${hosts}, line 4: "127.0.0.1 7001" is not an address of the form host:port with a port from 1 to 65535`],
    [`--id 0 --hostfile ${empty}`, `${empty}: no address is given, one for each server is needed`],
    [`--id 0 --hostfile ${hosts}.not`, `the hosts file ${hosts}.not cannot be read (ENOENT)`],
    ['--id 0 --count 1 --port 7000 --bind 0.0.0.0', '--bind 0.0.0.0 lets other machines in, and they are not authenticated: whoever reaches the port can read and change everything; add --insecure-bind if only machines that you trust can'],
    ['--id 0 --count 1 --port 7000 --repair', '--repair: a cluster of one server has nobody to be repaired from'],
    ['--id 0 --count 2 --port 7000 --repair', '--repair: in a cluster of two servers none can be repaired: that takes a majority of all servers, besides the one'],
  ] // prettier-ignore
  const runs = cases.map(
    ([args]) =>
      () =>
        ended(run(t, args === '' ? [] : args.split(' '), directory)),
  )
  for (const [index, start] of runs.entries()) {
    const [args, sentence] = cases[index] ?? ['', '']
    t.strictSame(await start(), { code: 2, out: '', err: `counter-server: ${sentence}\n` }, args)
  }
  t.notOk(existsSync(join(directory, 'data')), 'nothing was made')
})

t.test('help is given on request', async (t) => {
  const { code, out, err } = await ended(run(t, ['--help']))
  t.equal(code, 0)
  t.equal(err, '')
  for (const flag of [
    '--id',
    '--count',
    '--port',
    '--peers',
    '--hostfile',
    '--data-dir',
    '--bind',
    '--insecure-bind',
    '--repair',
    '--verbose',
    '/status',
    '/status.json',
    '/healthz',
  ]) {
    t.match(out, flag)
  }
})

t.test('a server says in one line that it listens, in one that it serves, and ends with 0 at a signal', async (t) => {
  const directory = temporaryDirectory(t)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const [address] = await freeAddresses(1)
    const server = run(t, ['--id', '0', '--count', '1', '--port', portOf(address)], directory)
    await until('it serves', () => server.out.includes('serves'))
    t.equal(
      server.out,
      `counter server 0 listens on ${address}, data in ./data/counter-0\ncounter server 0 serves; see http://${address}/status\n`,
    )
    t.ok(existsSync(join(directory, 'data', 'counter-0')))
    server.child.kill(signal)
    const { code, err } = await ended(server)
    t.equal(code, 0, signal)
    t.equal(err, '')
  }
})

t.test('a server goes on when nobody reads what it says', async (t) => {
  const directory = temporaryDirectory(t)
  const [address = ''] = await freeAddresses(1)
  const server = run(t, ['--id', '0', '--count', '1', '--port', portOf(address), '-vvv'], directory)
  await until('it listens', () => server.out.includes('listens'))
  server.child.stdout?.destroy()
  server.child.stderr?.destroy()
  // Each frame of a client's makes a line at -vvv.
  const client = new RawClient(address)
  t.teardown(() => client.end())
  await client.hello()
  for (let round = 0; round < 10; round++) {
    const before = client.frames.length
    client.send({ type: 'status' })
    await client.next('status', before)
  }
  await until('it takes commands', () => {
    client.send({ type: 'open', nonce: 'f'.repeat(32) })
    return client.frames.some((frame) => frame.type === 'replies')
  })
  server.child.kill('SIGTERM')
  t.equal((await ended(server)).code, 0)
})

t.test('the ports of the others follow from --id and --port, or are read from a hosts file', async (t) => {
  const directory = temporaryDirectory(t)
  const addresses = await freeAddresses(3)
  const hosts = join(directory, 'hosts')
  writeFileSync(hosts, `# three servers\n${addresses[0]}\n\n  ${addresses[1]}  # the second\r\n${addresses[2]}\n`)
  const servers = [0, 1, 2].map((id) => run(t, ['--id', `${id}`, '--hostfile', hosts], directory))
  for (const server of servers) await until('it serves', () => server.out.includes('serves'), 20_000)
  t.equal(
    servers[1]?.out.split('\n')[0],
    `counter server 1 listens on ${addresses[1]}, data in ./data/counter-1, waits for servers 0 and 2`,
  )
  for (const server of servers) server.child.kill('SIGTERM')
  for (const server of servers) t.equal((await ended(server)).code, 0)
})

t.test('a used port, a used or bad directory ends it with 1 and one line', async (t) => {
  const directory = temporaryDirectory(t)
  const [used, free] = await freeAddresses(2)
  const other = createServer()
  await new Promise<void>((resolve) => {
    other.listen(Number(portOf(used)), '127.0.0.1', resolve)
  })
  t.teardown(() => other.close())
  const onUsedPort = await ended(run(t, ['--id', '0', '--count', '1', '--port', portOf(used)], directory))
  t.equal(onUsedPort.code, 1)
  t.match(onUsedPort.err, /^counter-server: [^\n]*\n$/)
  t.match(onUsedPort.err, portOf(used))

  writeFileSync(join(directory, 'file'), '')
  const onFile = await ended(
    run(t, ['--id', '0', '--count', '1', '--port', portOf(free), '--data-dir', 'file'], directory),
  )
  t.equal(onFile.code, 1)
  t.match(onFile.err, /^counter-server: [^\n]*file[^\n]*\n$/)

  mkdirSync(join(directory, 'shared'))
  const first = run(t, ['--id', '0', '--count', '1', '--port', portOf(free), '--data-dir', 'shared'], directory)
  await until('the first one serves', () => first.out.includes('serves'))
  const [another] = await freeAddresses(1)
  const second = await ended(
    run(t, ['--id', '0', '--count', '1', '--port', portOf(another), '--data-dir', 'shared'], directory),
  )
  t.equal(second.code, 1)
  t.match(second.err, /^counter-server: [^\n]*shared[^\n]*\n$/)
})

t.test('a server that may not go on ends with 1 and one line', async (t) => {
  const directory = temporaryDirectory(t)
  const peers = ['--peers', (await freeAddresses(2)).join(',')]
  const servers = [0, 1].map((id) => run(t, ['--id', `${id}`, ...peers], directory))
  for (const server of servers) await until('it serves', () => server.out.includes('serves'), 20_000)
  servers[1]?.child.kill('SIGKILL')
  rmSync(join(directory, 'data', 'counter-1'), { recursive: true })
  const wiped = await ended(run(t, ['--id', '1', ...peers], directory))
  t.equal(wiped.code, 1)
  t.match(
    wiped.err,
    /^counter-server: this directory is empty, but server 0 says that cluster [^\n]* is formed[^\n]*\n$/,
  )
})

t.test('-v tells of elections, -vv of messages, each line led by the server’s id', async (t) => {
  const directory = temporaryDirectory(t)
  const start = async (...flags: string[]): Promise<string> => {
    const addresses = await freeAddresses(2)
    const servers = [0, 1].map((id) =>
      run(t, [
        '--id',
        `${id}`,
        '--peers',
        addresses.join(','),
        '--data-dir',
        join(directory, `${flags.join('')}${id}`),
        ...flags,
      ]),
    )
    for (const server of servers) await until('it serves', () => server.out.includes('serves'), 20_000)
    for (const server of servers) server.child.kill('SIGTERM')
    for (const server of servers) await ended(server)
    const lines = servers[1]?.err ?? ''
    for (const line of lines.split('\n').slice(0, -1)) t.match(line, /^\[1\] \d{4}-\d\d-\d\dT[\d:.]+Z synod:[a-z]+ /)
    return lines
  }
  const once = await start('-v')
  t.match(once, /synod:leader (leads at ballot|follows server 0)/)
  t.notMatch(once, /p1a/)
  const twice = await start('-vv')
  t.match(twice, /synod:acceptor [01] → [01] p1a \d+\.\d+ from slot 1\n/)
  t.match(twice, /synod:scout [01] → [01] p1b /)
})
