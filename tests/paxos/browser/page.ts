/** Runs in a browser: uses the client as any page would, and tells the test what came of it. */
import { ClientError, connect, Refusal, SynodError } from '@synod/paxos'
import { echo } from './echo.js'

/** Values of all kinds that can be sent. */
const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  255,
  -129,
  65_536,
  2 ** 40,
  -(2 ** 40),
  0.1,
  2n ** 60n,
  '',
  'ä',
  '😀'.repeat(20_000),
  'x'.repeat(63),
  'ü'.repeat(32),
  new Uint8Array(Array.from({ length: 300 }, (_, index) => index)),
  new Date(1_234_567_890_123),
  [],
  {},
  { nested: [{ deep: [1, [2, { three: 'four' }]] }] },
  JSON.parse('{"__proto__": {"is": "plain data"}}'),
]

/** Values as text that can be compared. */
function told(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key, part: unknown) {
    if (typeof part === 'bigint') return `${part}n`
    const whole = this[key] // before any toJSON
    return whole instanceof Uint8Array ? [...whole] : part
  })
}

/** What an error is, and its code. */
function nameOf(error: unknown): string {
  if (error instanceof ClientError) return `ClientError ${error.code} ${error.mayHaveHappened}`
  if (error instanceof Refusal) return `Refusal ${error.code} ${told(error.data)}`
  return error instanceof SynodError ? `SynodError ${error.code}` : String(error)
}

async function failure(call: () => unknown): Promise<string> {
  try {
    await call()
    return 'none'
  } catch (error) {
    return nameOf(error)
  }
}

/** @param server this page's @param foreign one that it may not connect to */
async function run(server: string, foreign: string): Promise<Record<string, unknown>> {
  const heard: string[] = []
  const client = connect(echo, {
    servers: [server],
    onConnection: ({ state }) => heard.push(state),
  })
  const feed = client.subscribe()
  await feed.started
  const answers = await Promise.all(VALUES.map((value) => client.submit({ value })))
  const events: unknown[] = []
  for await (const { value } of feed) if (events.push(value) === VALUES.length) break
  const sent = VALUES.map(told)
  const { role } = await client.status(server)
  const { entries } = await client.dump(server)
  const dumped: string[] = []
  for await (const entry of entries) dumped.push(told(entry))
  const { agree, servers } = await client.verify()
  const refused = await failure(() => client.submit({ value: 'no' }))
  const unsendable = await failure(() => client.submit({ value: 'half a \ud800 character' }))
  await client.close()
  const elsewhere = connect(echo, { servers: [foreign], timeout: 1_500 })
  const unreachable = await failure(() => elsewhere.submit({ value: 1 }))
  await elsewhere.close()
  return {
    otherAnswers: answers.map(told).filter((answer, index) => answer !== sent[index]),
    otherEvents: events.map(told).filter((event, index) => event !== sent[index]),
    dumped: dumped.join() === sent.at(-1),
    role,
    verified: agree && servers.length === 1,
    refused,
    unsendable,
    closed: await failure(() => client.submit({ value: 1 })),
    unreachable,
    badOption: await failure(() => connect(echo, { servers: ['nowhere'] })),
    heard,
  }
}

Object.assign(globalThis, { run })
