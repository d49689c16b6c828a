import { once } from 'node:events'
import { createServer, get, request } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { MAX_FRAME } from '@synod/paxos/internal/transport/transport'
import { WebSocketTransport } from '@synod/paxos/internal/transport/ws-transport'
import type { WebSocketTransportOptions } from '@synod/paxos/internal/transport/ws-transport'
import t from 'tap'
import type { Test } from 'tap'
import { WebSocket } from 'ws'
import { exchange } from '../server/http-support.js'
import { contract, End } from './contract.js'

const until = async (what: string, condition: () => boolean): Promise<void> => {
  const deadline = Date.now() + 10_000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not so within 10 s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

t.test('the contract', (t) => {
  contract(t, {
    create: (address) => {
      const transport = new WebSocketTransport({ port: Number(address?.split(':')[1] ?? 0) })
      return { transport, address: () => `127.0.0.1:${transport.port}` }
    },
    nowhere: '127.0.0.1:1',
    settling: (promise) => promise,
    until,
    rest: () => new Promise((resolve) => setTimeout(resolve, 50)),
  })
  t.end()
})

/** A listening transport and what it accepted. */
async function listening(
  t: Test,
  options: Omit<WebSocketTransportOptions, 'port'> = {},
): Promise<{ port: number; accepted: End[]; transport: WebSocketTransport }> {
  const transport = new WebSocketTransport({ port: 0, ...options })
  const accepted: End[] = []
  await transport.listen((connection) => {
    const end = new End()
    end.connection = connection
    accepted.push(end)
    return end
  })
  t.teardown(() => transport.close())
  return { port: transport.port, accepted, transport }
}

async function open(port: number, headers: Record<string, string> = {}): Promise<WebSocket> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/`, { headers })
  await once(ws, 'open')
  return ws
}

t.test('a text frame closes its connection and nothing else', async (t) => {
  const { port, accepted } = await listening(t)
  const [text, other] = [await open(port), await open(port)]
  text.send('hello')
  const [code] = (await once(text, 'close')) as [number]
  t.equal(code, 1003)
  await until('the end is closed', () => accepted[0]?.isClosed === true)
  t.match(accepted[0]?.heard, ['opened', /^closed: .*text/])
  t.ok(accepted[1]?.isOpen)
  other.terminate()
})

t.test('a frame that only claims to be huge is refused before its bytes come', async (t) => {
  const { port, accepted } = await listening(t)
  const ws = await open(port)
  const header = Buffer.from([0x82, 0xff, 0, 0, 0x0f, 0xff, 0, 0, 0, 0, 1, 2, 3, 4])
  const socket = (ws as unknown as { _socket: Socket })._socket
  socket.write(header)
  await until('the end is closed', () => accepted[0]?.isClosed === true)
  t.match(accepted[0]?.heard.at(-1), /^closed: Max payload size exceeded/)
  ws.terminate()
})

t.test('a stranger with garbage is hung up on, and nobody else minds', async (t) => {
  const { port, accepted } = await listening(t)
  const ws = await open(port)
  for (const garbage of [
    '\x16\x03\x01\x02garbage',
    'GET / HTTP/9.9\r\n\r\n',
    '\0'.repeat(100),
    `GET /${'x'.repeat(100_000)}`,
  ]) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.resume()
    socket.write(garbage)
    await once(socket, 'close')
  }
  ws.send(new Uint8Array(3))
  await until('the other is served', () => accepted[0]?.frames.length === 1)
  t.equal(accepted.length, 1)
  ws.terminate()
})

t.test('garbage after the handshake closes its connection', async (t) => {
  const { port, accepted } = await listening(t)
  const ws = await open(port)
  ws.on('error', () => undefined)
  const socket = (ws as unknown as { _socket: Socket })._socket
  socket.write(Buffer.alloc(1000, 0xff))
  await until('the end is closed', () => accepted[0]?.isClosed === true)
  t.match(accepted[0]?.heard.at(-1), /^closed: Invalid WebSocket frame/)
  ws.terminate()
})

t.test('a stranger who says nothing does not hold up the end', async (t) => {
  const { port, transport } = await listening(t)
  const silent = connect(port, '127.0.0.1')
  await once(silent, 'connect')
  const half = connect(port, '127.0.0.1')
  half.write('GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n')
  await once(half, 'connect')
  // This one completes the handshake, and then never answers a close.
  const deaf = connect(port, '127.0.0.1')
  deaf.write(
    `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Ng==\r\n\r\n`,
  )
  await once(deaf, 'data')
  deaf.pause()
  for (const socket of [silent, half, deaf]) socket.on('error', () => undefined)
  const before = performance.now()
  await transport.close()
  t.ok(performance.now() - before < 2_000, `it took ${performance.now() - before} ms`)
  for (const socket of [silent, half, deaf]) socket.destroy()
})

t.test('a connection that is cut tells so', async (t) => {
  const { port, accepted } = await listening(t)
  const ws = await open(port)
  ws.terminate()
  await until('the end is closed', () => accepted[0]?.isClosed === true)
  t.strictSame(accepted[0]?.heard, ['opened', 'closed: the connection was lost (code 1006)'])
})

t.test('a plain HTTP request gets a short answer', async (t) => {
  const { port } = await listening(t)
  const answer = await fetch(`http://127.0.0.1:${port}/`)
  t.equal(answer.status, 426)
  t.match(await answer.text(), /^This is a Synod server/)
})

t.test("a browser's page is let in by its own host, and if it is a page of the cluster's", async (t) => {
  const { port, accepted } = await listening(t, {
    advertised: ['synod.example:8080'],
    cluster: ['127.0.0.1:3001', 'synod.example:8080', 'other.example:8080'],
  })
  const attempt = async (host: string, origin?: string): Promise<number> => {
    const headers = {
      host,
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'MTIzNDU2Nzg5MDEyMzQ1Ng==',
    }
    const asked = request({ host: '127.0.0.1', port, headers: origin === undefined ? headers : { ...headers, origin } })
    asked.end()
    return new Promise((resolve, reject) => {
      asked.on('upgrade', (response, socket) => {
        socket.destroy()
        resolve(response.statusCode ?? 0)
      })
      asked.on('response', (response) => resolve(response.statusCode ?? 0))
      asked.on('error', reject)
    })
  }
  const own = `127.0.0.1:${port}`
  t.equal(await attempt(own), 101, 'no browser')
  t.equal(await attempt(own, `http://${own}`), 101)
  t.equal(await attempt(`localhost:${port}`, `http://localhost:${port}`), 101)
  t.equal(await attempt('synod.example:8080', 'https://synod.example:8080'), 101, 'the advertised address')
  t.equal(await attempt(own, 'http://evil.example'), 403, 'another page')
  t.equal(await attempt(own, 'http://127.0.0.1:3000'), 403, 'a page of another port')
  t.equal(await attempt(`evil.example:${port}`, `http://evil.example:${port}`), 403, 'a foreign name that points here')
  t.equal(await attempt(own, 'null'), 403, 'a page without an origin')
  t.equal(await attempt(own, 'nonsense'), 403)
  t.equal(await attempt(own, 'http://127.0.0.1:3001'), 101, "another server's page")
  t.equal(await attempt(own, 'http://localhost:3001'), 101, "another server's page, by a loopback name")
  t.equal(await attempt('synod.example:8080', 'http://other.example:8080'), 101)
  t.equal(await attempt(own, 'http://other.example:9'), 403, "a page of another port of a server's host")
  t.equal(await attempt(`evil.example:${port}`, 'http://127.0.0.1:3001'), 403, 'it asked by a foreign name')
  t.equal(accepted.length, 7)
})

t.test('plain requests are answered by who was given for them', async (t) => {
  const { port, accepted } = await listening(t, {
    http: (request, response) => response.end(`you want ${request.url}`),
  })
  const ws = await open(port)
  const answer = await fetch(`http://127.0.0.1:${port}/x`)
  t.equal(await answer.text(), 'you want /x')
  const foreign = await exchange(
    `127.0.0.1:${port}`,
    'GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
  )
  t.match(foreign, /^HTTP\/1\.1 421 [^]*name[^\n]*\.\n$/)
  const offered = `GET /h2 HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n`
  const plain = await exchange(`127.0.0.1:${port}`, offered)
  t.match(
    plain,
    /^HTTP\/1\.1 200 [^]*Connection: close[^]*you want \/h2/,
    'who offers another protocol is answered in this one',
  )
  t.ok(accepted[0]?.isOpen, 'connections live on the same port')
  ws.terminate()
})

t.test('few connections are kept for a next request, and few requests are answered at one time', async (t) => {
  const waiting: ServerResponse[] = []
  const { port } = await listening(t, {
    http: (request, response) => {
      if (request.url === '/wait') waiting.push(response)
      else response.end('ok')
    },
  })
  const ask = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`
  const sockets: Socket[] = []
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
  })
  const answers: string[] = []
  const connected = async (sent: string): Promise<number> => {
    const socket = connect(port, '127.0.0.1')
    const index = sockets.push(socket) - 1
    answers[index] = ''
    socket.on('data', (data) => (answers[index] = `${answers[index] ?? ''}${data.toString()}`))
    socket.on('error', () => undefined)
    socket.write(sent)
    await once(socket, 'connect')
    return index
  }
  for (let i = 0; i < 256; i++) await connected(ask('/'))
  await until('all are answered', () => answers.every((answer) => answer.endsWith('ok')))
  t.ok(answers.every((answer) => answer.includes('Connection: keep-alive')))
  const last = await connected(ask('/'))
  await until('the last is answered', () => answers[last]?.endsWith('ok') === true)
  t.match(answers[last], /Connection: close/)

  // One after the other over a few connections, without waiting for the answers.
  for (let i = 0; i < 4; i++) await connected(ask('/wait').repeat(256))
  await until('all wait', () => waiting.length === 1_024)
  const refused = await connected(ask('/wait'))
  await until('it is answered', () => answers[refused] !== '')
  t.match(answers[refused], /^HTTP\/1\.1 503 [^]*too many[^\n]*\.\n$/)
  for (const response of waiting) response.end('ok')
  const next = await connected(ask('/'))
  await until('the next is answered', () => answers[next]?.endsWith('ok') === true)
  t.match(answers[next], /^HTTP\/1\.1 200 /)
})

t.test('who takes no answer, or never ends its request, is hung up on, and holds up nobody', async (t) => {
  const large = Buffer.alloc(15 << 20)
  let [begun, cut] = [0, 0]
  const http = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.url !== '/large') return void response.end('ok')
    begun++
    response.on('close', () => cut++) // nobody takes all of it: so it was cut off
    response.end(large)
  }
  const { port } = await listening(t, { http })
  const own = `127.0.0.1:${port}`
  const slow = Array.from({ length: 5 }, () => get(`http://${own}/large`, { agent: false }, (taken) => taken.pause()))
  for (const asked of slow) asked.on('error', () => undefined)
  t.teardown(() => {
    for (const asked of slow) asked.destroy()
  })
  const half = exchange(own, `GET / HTTP/1.1\r\nHost: ${own}\r\n`)
  await until('all are being answered', () => begun === slow.length)
  t.equal(await (await fetch(`http://${own}/`)).text(), 'ok')
  t.match(await half, /^HTTP\/1\.1 408 [^]*in time\.\n$/)
  await until('all are cut off', () => cut === slow.length)
  t.equal(await (await fetch(`http://${own}/`)).text(), 'ok')
})

t.test('a stranger that was refused cannot keep the socket', async (t) => {
  const { port } = await listening(t)
  // This one does not close its own side.
  const stranger = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  let [answer, error] = ['', '']
  stranger.on('data', (data) => (answer += data.toString()))
  stranger.on('error', (problem: NodeJS.ErrnoException) => (error = problem.code ?? ''))
  stranger.write(
    `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nOrigin: http://evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Ng==\r\n\r\n`,
  )
  await once(stranger, 'end')
  t.match(answer, /^HTTP\/1\.1 403 /)
  await until('the socket is gone at the other end', () => {
    stranger.write('still here')
    return error !== ''
  })
  t.match(error, /^(ECONNRESET|EPIPE)$/)
})

t.test('addresses that cannot be used are named in one sentence', async (t) => {
  const cases = [
    { port: 0, bind: '203.0.113.1' },
    { port: 0, bind: 'no such host' },
  ]
  for (const options of cases) {
    const transport = new WebSocketTransport(options)
    await t.rejects(
      transport.listen(() => new End()),
      { code: 'ADDRESS_UNUSABLE', message: /^cannot listen on port 0 of / },
    )
    await transport.close()
  }
  const { transport } = await listening(t)
  for (const address of [
    'nonsense',
    'host:',
    ':1',
    'a b:1',
    'host:99999',
    'host:1/path',
    'user@host:1',
    'http://host:1',
  ]) {
    const end = new End()
    end.connection = transport.dial(address, end)
    await until(`${address} is closed`, () => end.isClosed)
    t.strictSame(end.heard, [`closed: "${address}" is not an address of the form host:port`])
  }
})

t.test('a server that speaks no WebSocket is told apart', async (t) => {
  const { transport } = await listening(t)
  const web = createServer((_, response) => response.writeHead(200).end('a web page')).listen(0, '127.0.0.1')
  await once(web, 'listening')
  t.teardown(() => web.close())
  const end = new End()
  const address = web.address()
  end.connection = transport.dial(`127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, end)
  await until('it is closed', () => end.isClosed)
  t.match(end.heard, [/^closed: Unexpected server response: 200/])
})

t.test('a large frame that comes in small pieces is one frame', async (t) => {
  const { port, accepted } = await listening(t)
  const ws = await open(port)
  for (let i = 0; i < 64; i++) ws.send(new Uint8Array(MAX_FRAME / 64).fill(i), { fin: i === 63, binary: true })
  await until('it is there', () => accepted[0]?.frames.length === 1)
  t.equal(accepted[0]?.frames[0]?.length, MAX_FRAME)
  ws.terminate()
})
