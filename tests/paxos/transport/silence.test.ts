/** A network that loses everything says nothing: whoever hears nothing for long gives the connection up. */
import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { WebSocketDialer } from '@synod/paxos/internal/transport/ws-dialer'
import { WebSocketTransport } from '@synod/paxos/internal/transport/ws-transport'
import { freePorts } from '@synod/harness/internal/process'
import t from 'tap'

t.setTimeout(60_000)
t.jobs = 2

/** Completes the handshake, and never says a word again. */
function fallSilent(socket: Socket, request: string): void {
  const key = /sec-websocket-key: (.*)\r\n/i.exec(request)?.[1] ?? ''
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
}

t.test('a connection whose other end is silent, though it is asked, is given up', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (data) => {
      fallSilent(socket, data.toString())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const dialer = new WebSocketDialer()
  const began = performance.now()
  const reason = await new Promise<string>((closed) => {
    const { port } = server.address() as AddressInfo
    dialer.dial(`127.0.0.1:${port}`, { opened: () => undefined, frame: () => undefined, closed })
  })
  t.equal(reason, 'the other end is silent')
  t.ok(performance.now() - began > 4_000, 'not before it was asked')
})

t.test('an idle connection between two ends that answer stays up', async (t) => {
  const [port = 0] = await freePorts(1)
  const transport = new WebSocketTransport({ bind: '127.0.0.1', port, advertised: [] })
  const nothing = { opened: () => undefined, frame: () => undefined }
  await transport.listen(() => ({ ...nothing, closed: () => undefined }))
  const dialer = new WebSocketDialer()
  t.teardown(async () => {
    await dialer.close('the test is over')
    await transport.close()
  })
  const outcome = await new Promise<string>((resolve) => {
    dialer.dial(`127.0.0.1:${port}`, { ...nothing, closed: resolve })
    // Longer than a silent one would last: there is nothing to poll for where nothing may happen.
    setTimeout(resolve, 12_000, 'up')
  })
  t.equal(outcome, 'up')
})
