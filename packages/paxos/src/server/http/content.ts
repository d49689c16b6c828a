/** What is served over HTTP as it is: bytes in memory, with their type. */
import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { lookup } from 'mrmime'
import { COMMON_HEADERS } from '../../transport/plain-answer.js'

export interface Content {
  readonly type: string
  readonly body: Buffer
  /** Of these very bytes, so that a browser that has them need not take them again. */
  readonly etag: string
}

/** Types of text that do not begin with `text/`. */
const TEXTS = new Set(['application/json', 'application/javascript', 'application/manifest+json', 'image/svg+xml'])

/** `name` tells the type by its ending. */
export function contentOf(name: string, body: string | Buffer): Content {
  const bytes = Buffer.from(body)
  const type = lookup(name) ?? 'application/octet-stream'
  const isText = type.startsWith('text/') || TEXTS.has(type)
  return {
    type: isText ? `${type}; charset=utf-8` : type,
    body: bytes,
    etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
  }
}

/** Answers with the content, or with 304 if the browser has it. Without its bytes if only the headers are asked for. */
export function answerContent(
  request: IncomingMessage,
  response: ServerResponse,
  content: Content,
  { status = 200, headers = {} }: { status?: number; headers?: Readonly<Record<string, string>> } = {},
): void {
  const all = { ...COMMON_HEADERS, ...headers, etag: content.etag }
  if (status === 200 && isKnown(request.headers['if-none-match'], content.etag)) {
    response.writeHead(304, all).end()
    return
  }
  response.writeHead(status, { ...all, 'content-type': content.type, 'content-length': content.body.length })
  response.end(content.body)
}

function isKnown(header: string | undefined, etag: string): boolean {
  return (header ?? '').split(',').some((known) => known.trim().replace(/^W\//, '') === etag)
}
