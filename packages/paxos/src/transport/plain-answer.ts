/** Short answers over HTTP: one sentence in plain text. */
import { STATUS_CODES } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** Of every answer: its type is what it says, and no other page may take it in. */
export const COMMON_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-cache',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
}

/** Ends a response with one sentence. */
export function answerPlain(response: ServerResponse, status: number, sentence: string): void {
  const body = `${sentence}\n`
  response.writeHead(status, {
    ...COMMON_HEADERS,
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  })
  response.end(body) // without the body where none was asked for (HEAD)
}

/** Ends a socket that no response belongs to with one sentence. */
export function refuse(socket: Duplex, status: number, sentence: string): void {
  socket.on('error', () => undefined)
  const body = `${sentence}\n`
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  // No timeout applies to it any more, and the other end need not close: so it is not left half open.
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}
