/** Frames that are seldom sent are maps, described by zod. Unknown fields are left out, so that a later version may say more. */
import { z } from 'zod'
import { badFrame } from '../codec/bytes.js'
import type { Reader } from '../codec/bytes.js'
import { unpackValue } from '../codec/values.js'
import { HASH } from './message-parts.js'
import { MAX_ELECTIONS, MAX_LIFE, MAX_SERVERS, WIRE_VERSION } from './wire.js'

/** Of such a frame, at most (bytes). */
const LONGEST = 1 << 20
/** Of a sentence in one (UTF-16 units). */
export const MAX_SENTENCE = 1 << 16

const serverId = z
  .int()
  .min(0)
  .max(MAX_SERVERS - 1)
const natural = z.int().min(0)
const life = natural.max(MAX_LIFE)
const clusterId = z
  .string()
  .regex(/^[0-9a-f]{32}$/)
  .nullable()
const hash = z.string().regex(HASH)
const serviceName = z.string().max(63)
const addresses = z.array(z.string().max(300)).max(MAX_SERVERS)

export const peerHello = z.object({
  type: z.literal('peer'),
  version: natural,
  service: serviceName,
  from: serverId,
  to: serverId,
  count: z.int().min(1).max(MAX_SERVERS),
  formation: z.enum(['empty', 'forming', 'formed', 'repairing']),
  repair: z.boolean(),
  clusterId,
  life,
  lifeSeen: life,
  batchSeen: natural,
})
export const clientHello = z.object({
  type: z.literal('client'),
  version: natural,
  service: serviceName.nullable(),
})
export const welcome = z.object({
  type: z.literal('welcome'),
  server: serverId,
  servers: addresses,
  leader: serverId.nullable(),
})
export const goodbye = z.object({
  type: z.literal('goodbye'),
  code: z.string().max(256),
  message: z.string().max(MAX_SENTENCE),
})

/** How a server stands, as it is told over any connection. */
export const serverStatus = z.object({
  id: serverId,
  address: z.string().max(300),
  service: serviceName,
  clusterId,
  role: z.enum(['starting', 'forming', 'repairing', 'follower', 'candidate', 'leader']),
  progress: z.number().min(0).max(1).nullable(),
  leader: serverId.nullable(),
  ballot: z.string().max(64),
  applied: natural,
  logBytes: natural,
  collected: natural,
  snapshot: z.object({ slot: natural, bytes: natural }),
  fetching: z.object({ from: serverId, received: natural, bytes: natural }).nullable(),
  installed: natural,
  life,
  audit: z.object({ slot: natural, hash }),
  reached: z.array(natural.nullable()).max(MAX_SERVERS),
  syncs: natural,
  sessions: natural,
  uptimeMs: z.number().min(0),
  connected: z.array(serverId).max(MAX_SERVERS),
  executed: natural,
  commandsPerSecond: z.number().min(0),
  latency: z.object({ p50Ms: z.number().min(0), p99Ms: z.number().min(0), count: natural }).nullable(),
  clients: natural,
  feeds: natural,
  reads: z.object({
    answered: natural,
    stale: natural,
    waiting: natural,
    indexes: z.object({ underLease: natural, confirmed: natural }),
  }),
  oldestEvent: natural,
  elections: z
    .array(z.object({ agoMs: z.number().min(0), leader: serverId.nullable(), ballot: z.string().max(64) }))
    .max(MAX_ELECTIONS),
  ready: z.boolean(),
  reason: z.string().max(1_000).nullable(),
})
export const status = z.object({ type: z.literal('status'), status: serverStatus })

export const digest = z.object({
  type: z.literal('digest'),
  slot: natural,
  digest: z.object({ chain: hash, state: hash, entries: natural }).nullable(),
})
export const snapshot = z.object({
  type: z.literal('snapshot'),
  slot: natural,
  path: z.string().max(1 << 16),
  error: z.string().max(MAX_SENTENCE).nullable(),
})
export const handOver = z.object({ type: z.literal('handOver'), to: serverId })
export const handedOver = z.object({
  type: z.literal('handedOver'),
  to: serverId,
  error: z.string().max(MAX_SENTENCE).nullable(),
})

/** What became of a read that was not executed, or failed. */
export const rejection = z.object({ code: z.string().max(256), message: z.string().max(MAX_SENTENCE) })

/** A sentence as it is told: a service's own words may be in it, which need not be well-formed, nor short. */
export function sendable(sentence: string): string {
  return sentence.slice(0, MAX_SENTENCE).replace(/\p{Surrogate}/gu, '\ufffd')
}

/** A hello of another version may have other fields. */
const versioned = z.object({ version: natural })

/** The frame that packed bytes hold. Throws `BAD_FRAME`. */
export function unpackedAs<T>(schema: z.ZodType<T>, from: Reader): T {
  const value = unpackValue(from.bytes(LONGEST))
  from.end()
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const version = versioned.safeParse(value).data?.version ?? WIRE_VERSION
  if (version !== WIRE_VERSION)
    throw badFrame(`version ${version} of the protocol, where this is version ${WIRE_VERSION}`)
  const issue = parsed.error.issues[0]
  throw badFrame(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not as expected'}`)
}
