/** HTTP as it goes over the wire, for requests that no well-behaved client would make. */
import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

interface Wanted {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Asks as told: the path is sent as it is, and any Host can be named. */
export function ask(address: string, path: string, { method = 'GET', headers = {} }: Wanted = {}): Promise<Answer> {
  const [host, port] = address.split(':')
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, path, method, headers, agent: false, timeout: 20_000 }, (response) => {
      text(response).then((body) => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
      }, reject)
    })
    asked.on('error', reject)
    asked.on('timeout', () => asked.destroy(new Error(`no answer to ${method} ${path} within 20 s`)))
    asked.end()
  })
}

/** What JSON a path answers. */
export async function askJson(address: string, path: string): Promise<unknown> {
  const { body } = await ask(address, path)
  return JSON.parse(body)
}

/** Sends bytes, and gives all that comes back until the other end closes; fails after `patience` ms. */
export async function exchange(address: string, sent: string, patience = 20_000): Promise<string> {
  const [host = '', port] = address.split(':')
  const socket = connect(Number(port), host)
  let received = ''
  socket.on('data', (data) => (received += data.toString('latin1')))
  socket.on('error', () => undefined) // the other end need not wait for what it does not want
  socket.write(sent, 'latin1')
  const late = setTimeout(() => socket.destroy(), patience)
  await once(socket, 'close')
  clearTimeout(late)
  return received
}
