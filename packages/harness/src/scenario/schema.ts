/** What a scenario file may say. A file is an array of steps, or an object with the steps in it. */
import { LONGEST_LEASE } from '@synod/paxos/internal/protocol/leader-lease'
import { z } from 'zod'

const id = z.int('must be the number of a server').min(0, 'servers are numbered from 0')
/** Timers of Node.js go no further. */
const LONGEST = 2 ** 31 - 1
const ms = z
  .number('must be a number of ms')
  .min(0, 'must not be below 0')
  .max(LONGEST, `must be at most ${LONGEST} ms, which is 24 days`)
const rate = z.number().min(0, 'a rate is from 0 to 1').max(1, 'a rate is from 0 to 1')
const positive = z.int().min(1)
const seed = z.int().min(0)

/** A server by its number, or by what it is when the step is played. `any`: one that is up, drawn by the run's seed. */
const who = z.union([id, z.enum(['leader', 'follower', 'any'])], {
  error: 'must be the number of a server, or "leader", "follower", "any"',
})
export type Who = z.output<typeof who>

/** The way from one server to another; without `from` from all, without `to` to all. */
const link = { from: who.optional(), to: who.optional() }
/** How long a step may take (ms). */
const timeout = ms.min(1, 'must be at least 1 ms').optional()
/** A file of a data directory: its name, the `first` or `last` one of the log, or the newest `snapshot`. */
const file = z.string().min(1).optional()

const step = <Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) =>
  z.strictObject({ type: z.literal(type), ...shape })

/** Servers. */
const servers = [
  /**
   * Starts a server (all, without an id) that is down. `repair`: one that was wiped, or is damaged, is rebuilt from the others.
   * `port` is the file's own word: servers get free ports.
   */
  step('Start', {
    id: id.optional(),
    repair: z.boolean().optional(),
    port: z.int().min(1).max(65_535).optional(),
    count: positive.optional(),
  }),
  /** Stops it (SIGTERM), and starts it again. */
  step('Restart', { id: who }),
  /** SIGTERM. */
  step('Stop', { id: who }),
  /** SIGKILL. `powerLoss`: what was not synced is lost, too. `on`: not now, but just after it next sends such a message, or amid its next disk operation. */
  step('Crash', {
    id: who,
    powerLoss: z.boolean().optional(),
    on: z.enum(['p1a', 'p1b', 'p2a', 'p2b', 'fetch', 'piece', 'askLife', 'revive', 'revived', 'io']).optional(),
  }),
  /** SIGSTOP and SIGCONT. */
  step('Pause', { id: who }),
  step('Resume', { id: id.optional() }),
  /** Removes the data directory of a server that is down. */
  step('Wipe', { id }),
  /** Has a server write a snapshot (all that are up, without an id), and waits until it is durable. */
  step('Snapshot', { id: who.optional() }),
  /** Has the leader hand its leadership over to a server, and waits until that one leads. */
  step('Transfer', { id: who }),
] as const

/** The network between servers. Each holds until a Heal. */
const network = [
  /** From now on servers that are in a group together reach each other, and no others do; groups may overlap. */
  step('Partition', { groups: z.array(z.array(id)).min(1) }),
  /** Nothing gets from `from` to `to`, nor back unless `oneWay`. */
  step('Cut', { ...link, oneWay: z.boolean().optional() }),
  /** Breaks the connections between these servers, now: what is on its way is lost, and they dial again. */
  step('Sever', link),
  /** Ends the faults of a link (both directions unless `oneWay`), of a server's disk and clock (`id`), or all of both. */
  step('Heal', { ...link, oneWay: z.boolean().optional(), id: who.optional() }),
  /** Each frame takes `ms`, and up to `jitter` ms more. */
  step('Delay', { ...link, ms, jitter: ms.optional() }),
  step('Drop', { ...link, rate }),
  step('Duplicate', { ...link, rate }),
  /** Such a part of the frames arrives up to `ms` later than it should (50). */
  step('Reorder', { ...link, rate, ms: ms.optional() }),
  step('Throttle', { ...link, bytesPerSecond: positive }),
  /** What is sent within `ms` arrives after that, in any order. */
  step('Clog', { ...link, ms }),
] as const

/** Disks and clocks. */
const machines = [
  /** Flips a bit of one byte: at `offset`, at so many bytes before the end of what was written (`tail`), or drawn by the seed. */
  step('Corrupt', { id: who, file, offset: z.int().min(0).optional(), tail: positive.optional() }),
  /** Cuts so many bytes off the end of what was written. */
  step('Truncate', { id: who, file, bytes: positive }),
  /** The next write lands in another place of its file. */
  step('Misdirect', { id: who }),
  /** Room for `room` bytes more (0), until a Heal. */
  step('DiskFull', { id: who, room: z.int().min(0).optional() }),
  /** The next synchronous write fails with EIO; `always`: all of them, until a Heal. */
  step('FsyncError', { id: who, always: z.boolean().optional() }),
  /** Each disk operation takes `ms` more, until a Heal. */
  step('SlowDisk', { id: who, ms }),
  /** The server's clock jumps by `ms`; back, if negative. */
  step('ClockJump', { id: who, ms: z.number('must be a number of ms') }),
  /** The server's clock runs at this many times the speed. */
  step('ClockRate', { id: who, rate: z.number().min(0.1).max(10) }),
] as const

/** Clients: each is known by the server that it is pinned to. Writes are sent without waiting, unless `wait`. */
const wait = z.boolean().optional()
const key = z.string()
const value = z.string()
const message = z.string()
/** A room of the chatroom (`lobby`). */
const room = z.string().optional()
/** A message of a room, from 1. */
const number = positive
/** The servers that a client knows: it fails over among them. */
const known = z.array(id).min(1, 'must name at least one server').optional()
/** What a feed is called. */
const feed = z.union([z.string().min(1), z.int()], { error: 'must be a name or a number' })
const clients = [
  /** A client that knows only the server of its number, or those in `servers`, among which it fails over. */
  step('Connect', { id, servers: known, timeout }),
  /** Closes it: its session ends. */
  step('Disconnect', { id }),
  /** Its process dies, and says no farewell: its session lasts until it is given up. */
  step('Vanish', { id }),
  /** Any service: hears the events that it emits, from slot `from` on (`now`). It knows all servers, or only `servers`. */
  step('Subscribe', {
    id: feed,
    servers: known,
    from: z.union([z.int().min(1), z.literal('now')], { error: 'must be a slot, from 1, or "now"' }).optional(),
  }),
  step('Unsubscribe', { id: feed }),
  /** Chatroom: posts a message. */
  step('Put', { id, message, room, timeout, wait }),
  /** Chatroom: reads the log of a room. Key-value store: reads the key. */
  step('Get', { id, key: key.optional(), room, timeout }),
  /** Chatroom: changes, or deletes, a message that this client has posted. */
  step('Edit', { id, number, message, room, timeout, wait }),
  step('Erase', { id, number, room, timeout, wait }),
  /** Chatroom: is in a room from now on, under a name (`client 0`, by its number); and is not any more. */
  step('Join', { id, room, name: z.string().optional(), timeout, wait }),
  step('Leave', { id, room, timeout, wait }),
  /** Chatroom: who is in a room? */
  step('Who', { id, room, timeout }),
  step('Set', { id, key, value, timeout, wait }),
  step('Delete', { id, key, timeout, wait }),
  step('Cas', { id, key, expected: value.nullable(), value: value.nullable(), timeout, wait }),
  step('List', { id, prefix: z.string().optional(), timeout }),
  /** Any service: an operation as it is. */
  step('Submit', { id, op: z.json(), timeout, wait }),
] as const

export const FAULTS = [
  'Crash',
  'Restart',
  'Pause',
  'Partition',
  'Cut',
  'Delay',
  'Drop',
  'Duplicate',
  'Reorder',
  'Throttle',
  'Clog',
  'SlowDisk',
  'DiskFull',
  'FsyncError',
  'Corrupt',
  'Misdirect',
  'Snapshot',
  'Repair',
  'ClockJump',
  'ClockRate',
  'Transfer',
  'Sever',
] as const
/** A kind of fault that can be drawn at random. */
export type Fault = (typeof FAULTS)[number]

/** How often each kind of operation is drawn, relative to the others. */
const mix = z
  .partialRecord(
    z.enum(['read', 'stale', 'write', 'delete', 'cas', 'list', 'append', 'edit', 'erase', 'join', 'leave', 'who']),
    z.number().min(0),
  )
  .refine((weights) => Object.values(weights).some((weight) => weight > 0), 'at least one weight must be above 0')

/** Servers, one at least. */
const some = z.array(id).min(1).optional()

/** What must hold. Each field that is there is a condition. */
const conditions = {
  /** The client whose last operation, or whose view, is meant. */
  id: id.optional(),
  /** What the client `id` reads at the key; null: nothing. */
  key: key.optional(),
  value: value.nullable().optional(),
  /** The outcome of the client's last operation. */
  outcome: z.enum(['ok', 'fail', 'info']).optional(),
  /** The code that it failed with. */
  error: z.string().optional(),
  /** What it was answered, as it is. */
  result: z.json().optional(),
  /** Exactly these messages, in this order, as the client `id` reads them. */
  log: z.array(z.string()).optional(),
  /** These messages, in this order, perhaps with others between them. */
  contains: z.array(z.string()).min(1).optional(),
  /** The room that `log`, `contains` and `here` are about. */
  room,
  /** The names of those who are in the room, in any order, as the client `id` is told, or without an `id` any client. */
  here: z.array(z.string()).optional(),
  /** The states of these servers (true: of all that are up) are equal. */
  equal: z
    .union([z.literal(true), z.array(id).min(2)], {
      error: 'must be true (all that are up), or a list of two servers or more',
    })
    .optional(),
  /** So many operations at least were acknowledged so far. */
  acknowledged: z.int().min(0).optional(),
  /** These servers ended by themselves. */
  ended: some,
  /** What one of those, or else any server, said on its way (part of a line). */
  says: z.string().min(1).optional(),
  /** These servers have a snapshot, and the beginning of their logs is collected; both: through `slot`, or any. */
  snapshot: some,
  collected: some,
  slot: positive.optional(),
  /** These servers got a snapshot of another one, and have executed what the others had. */
  installed: some,
  /** These servers were repaired, and vote. */
  repaired: some,
} as const

/** What can be waited for and expected of single servers, as their status tells it. */
export const STANDS = ['snapshot', 'collected', 'installed', 'repaired'] as const
export type Stands = (typeof STANDS)[number]

const play = [
  step('Sleep', { ms }),
  /** Faults at random, drawn from `faults` by `seed`, a new one every `every` ms or so (1,000); what follows is played meanwhile. */
  step('Nemesis', {
    faults: z.array(z.enum(FAULTS)).min(1),
    duration: ms,
    every: ms.min(1, 'must be at least 1 ms').optional(),
    seed: seed.optional(),
  }),
  /** Clients that send operations one after the other; what follows is played meanwhile. */
  step('Workload', {
    clients: positive.max(1000).optional(),
    /** Of all clients together; ends with these or with the duration, whichever is first. */
    operations: positive.optional(),
    duration: ms.optional(),
    /** Operations a second, of all clients together; without it each client sends when the one before is done. */
    rate: z.number().positive().optional(),
    keys: positive.optional(),
    /** Bytes of each value that is written, at least (key-value store). */
    bytes: positive.max(1 << 20, 'a value has at most 1048576 bytes').optional(),
    mix: mix.optional(),
    /** Any service without operations of its own here: each is drawn from these. */
    ops: z.array(z.json()).min(1, 'must name at least one operation').optional(),
    seed: seed.optional(),
    /** Pins the clients to a server; without it they fail over. */
    id: id.optional(),
    timeout,
  }),
  /** Until it is so; fails after `timeout` ms (30,000). */
  step('Wait', {
    for: z.enum([
      'leader',
      'convergence',
      'outcomes',
      'workload',
      'nemesis',
      'acknowledged',
      'ended',
      'serving',
      'feeds',
      'here',
      ...STANDS,
    ]),
    id: id.optional(),
    /** For `here`: as in Expect. */
    here: conditions.here,
    room,
    /** For `snapshot` and `collected`: as in Expect. */
    slot: conditions.slot,
    /** For `acknowledged`. */
    count: positive.optional(),
    /** 0: it is looked once. */
    timeout: ms.optional(),
  }),
  step('Expect', conditions),
] as const

export const stepSchema = z.discriminatedUnion('type', [...servers, ...network, ...machines, ...clients, ...play])
export type Step = z.output<typeof stepSchema>
export type StepOf<Type extends Step['type']> = Extract<Step, { type: Type }>

export const scenarioSchema = z.strictObject({
  name: z.string().optional(),
  description: z.string().optional(),
  /** How many servers the cluster has; by default what the Start steps say. */
  servers: positive.optional(),
  /** Of all chance in the run. */
  seed: seed.optional(),
  /** In the simulator: files of the log, tails and what makes a snapshot due are small, so that their edges are met all the time. */
  small: z.boolean().optional(),
  /** How long the leaders' leases last (ms); without it they have none. Clocks at random are then no more wrong than leases bear. */
  lease: z.int().positive().max(LONGEST_LEASE, `a lease is at most ${LONGEST_LEASE} ms long`).optional(),
  /** The whole run may take so long (ms). */
  timeout,
  steps: z.array(stepSchema).min(1, 'there must be at least one step'),
  /** What must hold at the end, after healing. */
  expect: z.strictObject(conditions).optional(),
})

/** A scenario that was checked, its defaults filled in. */
export interface Scenario {
  readonly name: string
  readonly description: string
  readonly servers: number
  readonly seed: number
  readonly small?: boolean
  readonly lease?: number
  readonly timeout?: number
  readonly steps: readonly Step[]
  readonly expect?: Expectation
}

export type Expectation = Omit<StepOf<'Expect'>, 'type'>
