/** What servers answer over plain HTTP: how they stand. */
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import type { Server } from 'node:net'
import { serverStatus } from '@synod/paxos/internal/transport/codec'
import t from 'tap'
import type { Test } from 'tap'
import { z } from 'zod'
import { statusOf } from '../../support/status.js'
import { ask, askJson, exchange } from './http-support.js'
import { adding, Cluster, until } from './support.js'

/** The documented shape of `/status.json`, and nothing more. */
const own = z.strictObject({ server: serverStatus.strict() })
const all = z.strictObject({
  server: serverStatus.strict(),
  servers: z.array(
    z.strictObject({
      id: z.int(),
      address: z.string(),
      status: serverStatus.strict().nullable(),
      error: z.string().nullable(),
      lagSlots: z.int().min(0).nullable(),
    }),
  ),
})

async function clusterStatus(address: string): Promise<z.output<typeof all>> {
  return all.parse(await askJson(address, '/status.json'))
}

/** Asks until the answer is as wanted. */
async function eventually<T>(what: string, asked: () => Promise<T>, wanted: (value: T) => boolean): Promise<T> {
  let [last, isAsking] = [undefined as T | undefined, false]
  return until(what, () => {
    if (last !== undefined && wanted(last)) return last
    if (!isAsking) {
      isAsking = true
      void asked().then(
        (value) => {
          last = value
          isAsking = false
        },
        () => (isAsking = false),
      )
    }
    return undefined
  })
}

/** Something that is no server of Synod, at a server's address. */
async function impostor(t: Test, address: string, server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.listen(Number(address.split(':')[1]), '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
  })
}

const [first, second, third] = [0, 1, 2]

t.test('three servers, as one of them tells of them', async (t) => {
  const cluster = await Cluster.of(t, 3)
  await cluster.startAll()
  const [address = '', other = ''] = cluster.addresses
  const client = await cluster.client(first)
  const session = await client.session('a'.repeat(32))
  for (let localId = 1; localId <= 5; localId++) await client.submit(session, localId, adding(1))

  await t.test('/status.json has all of them, asked by one', async (t) => {
    const { server, servers } = await eventually(
      'all have executed the same',
      () => clusterStatus(address),
      ({ servers }) => servers.every((entry) => entry.lagSlots === 0 && entry.status?.executed === 5),
    )
    t.equal(server.id, 0)
    t.strictSame(
      servers.map(({ id, address, error }) => ({ id, address, error })),
      cluster.addresses.map((address, id) => ({ id, address, error: null })),
    )
    t.equal(servers.filter(({ status }) => status?.role === 'leader').length, 1)
    t.strictSame(servers[first]?.status?.id, 0)
    t.equal(server.clients, 1)
    t.equal(server.latency?.count, 5, 'each command was timed: one was under way at a time')
    t.ok((server.latency?.p50Ms ?? 0) > 0)
    t.equal(servers[second]?.status?.latency, null)
    t.equal(servers[second]?.status?.elections[0]?.leader, server.leader)
  })

  await t.test('/status.json?own has one', async (t) => {
    const { server } = own.parse(await askJson(other, '/status.json?own'))
    t.equal(server.id, 1)
  })

  await t.test('/healthz is one line', async (t) => {
    const { status, body, headers } = await ask(address, '/healthz')
    t.equal(status, 200)
    t.equal(body, '{"ready":true}\n')
    t.equal(headers['content-type'], 'application/json; charset=utf-8')
  })

  await t.test('/ names the service, and leads to /status', async (t) => {
    const { status, body, headers } = await ask(address, '/')
    t.equal(status, 200)
    t.equal(headers['content-type'], 'text/html; charset=utf-8')
    t.match(body, /counter/)
    t.match(body, /href="status"/)
    t.notMatch(body, /<script|style=|<style/, 'nothing inline')
  })

  await t.test('the status page has all its files', async (t) => {
    const page = await ask(address, '/status')
    t.equal(page.headers['content-type'], 'text/html; charset=utf-8')
    t.notMatch(page.body, /<script(?![^>]* src=)|style=|<style| on[a-z]+=/, 'nothing inline')
    const wanted = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => `/${path}`)
    const seen = new Set<string>()
    for (let path = wanted.pop(); path !== undefined; path = wanted.pop()) {
      if (seen.has(path)) continue
      seen.add(path)
      const { status, headers, body } = await ask(address, path)
      t.equal(status, 200, path)
      if (!path.endsWith('.js')) continue
      t.equal(headers['content-type'], 'text/javascript; charset=utf-8')
      for (const [, name = ''] of body.matchAll(/from '\.\/([^']+)'/g)) wanted.push(`/status/${name}`)
    }
    t.ok(seen.has('/status/main.js') && seen.has('/status/style.css') && seen.size > 6)
    t.equal((await ask(address, '/status/')).headers.location, '/status')
  })

  await t.test('every answer says what it is, and who may have it', async (t) => {
    for (const path of ['/', '/status', '/status.json', '/healthz', '/nothing', '/status/main.js']) {
      const { headers } = await ask(address, path)
      t.match(
        headers,
        {
          'x-content-type-options': 'nosniff',
          'referrer-policy': 'no-referrer',
          'cross-origin-resource-policy': 'same-origin',
          'cache-control': 'no-cache',
          'content-type': /; charset=utf-8$/,
        },
        path,
      )
      const policy = (headers['content-security-policy'] as string | undefined) ?? ''
      t.match(policy, /^default-src 'self'; connect-src 'self' /)
      t.notMatch(policy, /unsafe/)
      for (const server of cluster.addresses) {
        t.ok(policy.includes(` ws://${server}`), server)
        t.ok(policy.includes(` ws://${server.replace('127.0.0.1', 'localhost')}`))
      }
      t.equal(headers['access-control-allow-origin'], undefined)
    }
  })

  await t.test('only GET and HEAD are answered', async (t) => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE']) {
      const { status, headers, body } = await ask(address, '/status.json', { method })
      t.equal(status, 405, method)
      t.equal(headers.allow, 'GET, HEAD')
      t.match(body, /^[^\n]+\.\n$/)
    }
    for (const path of ['/status.json?own', '/healthz', '/status', '/']) {
      const [head, get] = [await ask(address, path, { method: 'HEAD' }), await ask(address, path)]
      t.equal(head.status, 200)
      t.equal(head.body, '')
      t.equal(head.headers['content-type'], get.headers['content-type'])
      t.ok(Number(head.headers['content-length']) > 0)
    }
    const posted = await exchange(address, `POST / HTTP/1.1\r\nHost: ${address}\r\nContent-Length: 9999999\r\n\r\nabc`)
    t.match(posted, /^HTTP\/1\.1 405 /, 'who sends a body is answered and hung up on')
  })

  await t.test('a browser that has a file does not get it again', async (t) => {
    const { etag = '' } = (await ask(address, '/status')).headers
    const again = await ask(address, '/status', { headers: { 'if-none-match': `"other", W/${etag}` } })
    t.equal(again.status, 304)
    t.equal(again.body, '')
    t.equal((await ask(address, '/status', { headers: { 'if-none-match': '"other"' } })).status, 200)
  })

  await t.test('a foreign name that was made to point here is refused', async (t) => {
    for (const host of ['evil.example', `evil.example:${address.split(':')[1]}`, '169.254.169.254']) {
      const { status, body } = await ask(address, '/status.json', { headers: { host } })
      t.equal(status, 421, host)
      t.match(body, /^[^\n]+\.\n$/)
    }
    for (const host of [address, 'localhost', 'localhost:1', '[::1]:80']) {
      t.equal((await ask(address, '/healthz', { headers: { host } })).status, 200, host)
    }
    t.match(await exchange(address, 'GET /healthz HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 /, 'no browser: it names nobody')
  })

  await t.test('paths that no page has are told so', async (t) => {
    const paths = ['/status.jso', '/../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/..%2f..%2fetc/passwd', '/status/../x',
      '/status/%2e%2e/%2e%2e/server.js', '/status/constructor', '/__proto__', '/%00', '//evil.example/', '/\\evil', '/.'] // prettier-ignore
    for (const path of paths) t.equal((await ask(address, path)).status, 404, path)
    for (const path of ['/%', '/%ff%fe', '*', 'nothing']) t.equal((await ask(address, path)).status, 400, path)
    t.equal((await ask(address, `http://${address}/healthz`)).status, 200, 'as a proxy is asked')
  })

  await t.test('headers that are too large, and garbage, get a sentence', async (t) => {
    const head = `GET / HTTP/1.1\r\nHost: ${address}\r\n`
    t.match(await exchange(address, `${head}X: ${'x'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 431 [^]*too large\.\n$/)
    t.match(await exchange(address, `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`), /^HTTP\/1\.1 431 /)
    t.match(await exchange(address, 'nonsense\r\n\r\n'), /^HTTP\/1\.1 400 [^]*\.\n$/)
    t.match(await exchange(address, 'GET / HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 400 /, 'no Host')
  })
})

t.test('while the servers have not met, /healthz says for whom this one waits', async (t) => {
  const cluster = await Cluster.of(t, 3)
  await cluster.start(first)
  const [address = ''] = cluster.addresses
  const { status, body } = await ask(address, '/healthz')
  t.equal(status, 503)
  t.match(JSON.parse(body), { ready: false, reason: /not formed: .*1.*2/ })
  t.match(body, /^[^\n]+\n$/)
  const { server, servers } = await clusterStatus(address)
  t.equal(server.role, 'forming')
  t.equal(server.clusterId, null)
  t.strictSame(
    servers.map(({ status, lagSlots }) => [status?.id, lagSlots]),
    [
      [0, 0],
      [undefined, null],
      [undefined, null],
    ],
  )
})

t.test('a server that is gone is told as gone, and one that is left alone knows no leader', async (t) => {
  const cluster = await Cluster.of(t, 3)
  const servers = await cluster.startAll()
  const [address = '', , gone = ''] = cluster.addresses
  await servers[third]?.close()
  const told = await eventually(
    'two are ready',
    () => clusterStatus(address),
    ({ servers }) => servers[third]?.status === null && servers.filter(({ status }) => status?.ready).length === 2,
  )
  t.match(told.servers[third], {
    id: 2,
    address: gone,
    status: null,
    error: `nobody listens on ${gone}`,
    lagSlots: null,
  })
  await servers[second]?.close()
  const health = await eventually(
    'it is not ready',
    () => ask(address, '/healthz'),
    ({ status }) => status === 503,
  )
  t.match(JSON.parse(health.body), { ready: false, reason: /^no leader is known/ })
})

t.test('whatever is at a peer’s address, the answer comes within a second and says it', async (t) => {
  const cases: readonly (readonly [what: string, error: string, answer: RequestListener | null])[] = [
    ['one that is silent', 'it did not answer within 1 s', null],
    ['one that never ends', 'it did not answer within 1 s', (_, response) => response.writeHead(200).write('{"server":')],
    ['another program', 'it answers with the HTTP status 404', (_, response) => response.writeHead(404).end()],
    ['garbage', 'it answers with something else than a status', (_, response) => response.end('garbage')],
    ['no status', 'it answers with something else than a status', (_, response) => response.end('{"server":{"id":1}}')],
    ['one that talks too much', 'its answer is too long', (_, response) => response.end('x'.repeat(1 << 20))],
    ['another server', 'server 2 answers at ADDRESS', (_, response) => response.end(JSON.stringify({ server: statusOf({ id: 2 }) }))],
  ] // prettier-ignore
  for (const [what, error, answer] of cases) {
    const cluster = await Cluster.of(t, 2)
    const [address = '', other = ''] = cluster.addresses
    await impostor(t, other, answer === null ? createTcpServer() : createServer(answer))
    await cluster.start(first)
    const before = performance.now()
    const { servers } = await clusterStatus(address)
    const took = performance.now() - before
    t.equal(servers[second]?.error, error.replace('ADDRESS', other), what)
    t.equal(servers[second]?.status, null)
    t.ok(took < 3_000, `it took ${took} ms`)
    await cluster.stop()
  }
})

t.test('a hundred viewers ask the other servers as often as one', async (t) => {
  const cluster = await Cluster.of(t, 2)
  const [address = '', other = ''] = cluster.addresses
  let asked = 0
  const peer = createServer(({ url = '' }, response) => {
    if (url.startsWith('/status.json')) asked++ // the server dials it over WebSocket, too
    setTimeout(() => response.end(JSON.stringify({ server: statusOf({ id: 1, applied: 7 }) })), 50)
  })
  await impostor(t, other, peer)
  await cluster.start(first)
  const before = performance.now()
  const answers = await Promise.all(Array.from({ length: 100 }, () => clusterStatus(address)))
  const took = performance.now() - before
  t.ok(asked >= 1 && asked <= 1 + took / 500, `${asked} questions in ${took} ms`)
  const last = asked
  t.ok(answers.every(({ servers }) => servers[second]?.status?.applied === 7))
  t.equal(answers[0]?.servers[first]?.lagSlots, 7)
  await eventually(
    'it is asked again, later',
    () => clusterStatus(address),
    () => asked > last,
  )
})
