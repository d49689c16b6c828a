/** The steps that wait for something, and those that demand it. */
import { isDeepStrictEqual } from 'node:util'
import type { Expectation, StepOf } from '../scenario/schema.js'
import type { DataStep } from '../subject/subject.js'
import { poll } from './poll.js'
import { agree, different, states } from './agreement.js'
import type { ServerState } from './agreement.js'
import { OPERATION_TIMEOUT } from './clients.js'
import { lastWords } from './ends.js'
import { haveCaughtUp } from './feeds-over.js'
import { JUDGE } from './recorder.js'
import { NOT_YET, stands, standsProblems } from './stands.js'
import type { World } from '../world/world.js'
import type { Run } from './run.js'
import { followedBy, running, serversOf, statuses } from './survey.js'

const WAIT_TIMEOUT = 30_000
/** How long servers may take to come to the same slot (ms). */
const EQUAL_TIMEOUT = 10_000
/** Between two questions to the cluster (ms). */
const BETWEEN_LOOKS = 200

/** What did not happen in time. */
const MISSED: Readonly<Record<StepOf<'Wait'>['for'], string>> = {
  leader: 'no leader that a majority follows, or not that one,',
  serving: 'not all servers that are up take in commands',
  convergence: 'the servers did not come to one slot',
  outcomes: 'not all operations have an outcome',
  workload: 'a workload was not over',
  nemesis: 'a nemesis was not over',
  acknowledged: 'not so many operations were acknowledged',
  ended: 'the server did not end',
  feeds: 'not all subscribers have heard everything',
  here: 'the room does not have these people in it, and no others,',
  ...NOT_YET,
}

/** Waits; what does not come in time is a check that failed. */
export async function wait(run: Run, step: StepOf<'Wait'>, name: string): Promise<null> {
  const { timeout = WAIT_TIMEOUT } = step
  const { world } = run
  const from = world.now()
  const condition = conditionOf(run, step)
  const found = { came: false }
  const look = async (): Promise<boolean> => {
    found.came = await condition()
    return found.came || allEnded(world) // nothing comes of servers that have all ended by themselves
  }
  await poll(world, look, timeout)
  if (found.came) return null
  const why = allEnded(world) ? `: all servers have ended by themselves: ${lastWords(run, 0)}` : ` within ${timeout} ms`
  run.check('wait', false, `${name}: ${MISSED[step.for]}${why}`, { from, to: world.now() })
  return null
}

function allEnded(world: World): boolean {
  return serversOf(world).every((id) => world.standing(id) === 'ended')
}

function conditionOf(run: Run, step: StepOf<'Wait'>): () => boolean | Promise<boolean> {
  const { for: what, id, count = 1, here = [], room } = step
  const { world, recorder, background } = run
  switch (what) {
    case 'leader':
      return async () => (id === undefined ? (await followedBy(world)) !== null : (await followedBy(world)) === id)
    case 'serving':
      return async () => {
        const all = await statuses(world, id === undefined ? running(world) : [id])
        return all.length > 0 && all.every((status) => status?.ready)
      }
    case 'convergence':
      return async () => (await agree(world, running(world))) !== null
    case 'outcomes':
      return () => recorder.pending === 0
    case 'workload':
      return () => background.workload.size === 0
    case 'nemesis':
      return () => background.nemesis.size === 0
    case 'acknowledged':
      return () => recorder.counts.ok >= count
    case 'ended':
      if (id !== undefined) run.doomed.add(id)
      return () => id !== undefined && world.standing(id) === 'ended'
    case 'feeds':
      return () => haveCaughtUp(run)
    case 'here':
      return async () => {
        const problem = await hereProblem(run, here, { id, room })
        if (problem !== null) await world.sleep(BETWEEN_LOOKS)
        return problem === null
      }
    default:
      return stands(run, what, { id, slot: step.slot })
  }
}

/** Demands; each condition that does not hold is a check that failed. */
export async function expect(run: Run, expectation: Expectation, name: string): Promise<null> {
  const from = run.world.now()
  const problems = await problemsOf(run, expectation)
  const window = { from, to: run.world.now() }
  for (const problem of problems) run.check('expect', false, `${name}: ${problem}`, window)
  if (problems.length === 0) run.check('expect', true, `${name}: as expected`)
  return null
}

async function problemsOf(run: Run, expectation: Expectation): Promise<string[]> {
  const { id, equal, acknowledged, ended, says, here, room } = expectation
  const problems: (string | null)[] = []
  if (id !== undefined) problems.push(...(await clientProblems(run, id, expectation)))
  if (here !== undefined) problems.push(await hereProblem(run, here, { id, room }))
  if (equal !== undefined) problems.push(await unequal(run, equal === true ? running(run.world) : equal))
  if (acknowledged !== undefined && run.recorder.counts.ok < acknowledged)
    problems.push(`${run.recorder.counts.ok} operations were acknowledged, not ${acknowledged}`)
  for (const server of ended ?? []) {
    run.doomed.add(server)
    const standing = run.world.standing(server)
    if (standing !== 'ended') problems.push(`server ${server} has not ended by itself; it is ${standing}`)
  }
  problems.push(...(await standsProblems(run, expectation)))
  if (says !== undefined) {
    const speakers = ended ?? Array.from({ length: run.world.servers }, (_, server) => server)
    if (!speakers.some((server) => run.world.output(server).includes(says)))
      problems.push(
        `no server said "${says}"${(ended ?? []).map((server) => `; server ${server} said last: ${lastWords(run, server)}`).join('')}`,
      )
  }
  return problems.filter((problem) => problem !== null)
}

async function clientProblems(run: Run, id: number, expectation: Expectation): Promise<(string | null)[]> {
  const { key, value, outcome, error, result, log, contains, room } = expectation
  const problems: (string | null)[] = []
  if (outcome !== undefined || error !== undefined || result !== undefined) {
    const last = await run.clients.last(id)
    if (last === undefined) return [`client ${id} has sent no operation`]
    if (outcome !== undefined && last.type !== outcome)
      problems.push(
        `the last operation of client ${id} is ${last.type}${last.error === undefined ? '' : ` (${last.error})`}, not ${outcome}`,
      )
    if (error !== undefined && last.error !== error)
      problems.push(`the last operation of client ${id} ended with ${last.error ?? last.type}, not ${error}`)
    if (result !== undefined && !(last.type === 'ok' && isDeepStrictEqual(last.value, result)))
      problems.push(
        `the last operation of client ${id} was answered ${last.type === 'ok' ? show(last.value) : (last.error ?? last.type)}, not ${show(result)}`,
      )
  }
  if (key !== undefined) {
    const read = await view(run, { type: 'Get', id, key })
    if (!('value' in read)) problems.push(read.problem)
    else if (read.value !== value)
      problems.push(`client ${id} reads ${show(read.value)} at ${show(key)}, not ${show(value)}`)
  }
  if (log !== undefined || contains !== undefined) {
    const read = await view(run, { type: 'Get', id, room })
    const messages = 'value' in read ? run.subject.log(read.value) : null
    if (messages === null) problems.push('problem' in read ? read.problem : `${run.subject.name} has no log`)
    else problems.push(logProblem(messages, log, contains))
  }
  return problems
}

function logProblem(
  messages: readonly string[],
  log: readonly string[] | undefined,
  contains: readonly string[] | undefined,
): string | null {
  if (log !== undefined && !isDeepStrictEqual(messages, log)) return `the log is ${show(messages)}, not ${show(log)}`
  let at = 0
  for (const message of contains ?? []) {
    const found = messages.indexOf(message, at)
    if (found < 0) return `the log is ${show(messages)}, without ${show(message)} in its place`
    at = found + 1
  }
  return null
}

/** Who is in the room instead, in words; null if it is these. */
async function hereProblem(
  run: Run,
  wanted: readonly string[],
  { id, room }: Pick<Expectation, 'id' | 'room'>,
): Promise<string | null> {
  const step: DataStep = { type: 'Who', id: id ?? 0, room }
  const read = id === undefined ? await asked(run, step) : await view(run, step)
  if ('problem' in read) return read.problem
  const found = run.subject.here(read.value) ?? []
  const same = isDeepStrictEqual([...found].sort(), [...wanted].sort())
  return same ? null : `in the room are ${show(found)}, not ${show(wanted)}`
}

/** What somebody reads who knows all servers. */
async function asked(run: Run, step: DataStep): Promise<{ value: unknown } | { problem: string }> {
  const task = run.subject.task(step)
  if (typeof task === 'string') return { problem: task }
  const outcome = await run.recorder.perform(JUDGE, task, run.questioner(), OPERATION_TIMEOUT)
  return outcome.type === 'ok' ? { value: outcome.value } : { problem: `nobody could read: ${outcome.error ?? ''}` }
}

/** What a client reads. */
async function view(run: Run, step: DataStep): Promise<{ value: unknown } | { problem: string }> {
  const task = run.subject.task(step)
  if (typeof task === 'string') return { problem: task }
  const sent = run.clients.send(step.id, task)
  if (typeof sent === 'string') return { problem: sent }
  const outcome = await sent
  return outcome.type === 'ok'
    ? { value: outcome.value }
    : { problem: `client ${step.id} could not read: ${outcome.error ?? outcome.type}` }
}

/** They may be on their way to the same slot: it is waited for that. */
async function unequal({ world }: Run, ids: readonly number[]): Promise<string | null> {
  const found: { states: ServerState[] | null } = { states: null }
  await poll(world, async () => (found.states = await states(world, ids)) !== null, EQUAL_TIMEOUT)
  if (ids.length === 0) return 'no server is up whose state could be compared'
  if (found.states === null)
    return `servers ${ids.join(', ')} did not show their states at one slot within ${EQUAL_TIMEOUT} ms`
  const [first, other] = different(found.states)
  return other === undefined ? null : `the states of servers ${first.id} and ${other.id} differ at slot ${first.slot}`
}

function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
