/** The end of every run: all faults end, and the cluster must be well again. */
import { agree, different, states } from './agreement.js'
import type { ServerState } from './agreement.js'
import { expect } from './conditions.js'
import { checkEnds } from './ends.js'
import { feedsOver } from './feeds-over.js'
import { healAll } from './network-steps.js'
import { poll } from './poll.js'
import { JUDGE } from './recorder.js'
import type { Run } from './run.js'
import { resume } from './server-steps.js'
import { running, serversOf, statuses } from './survey.js'

/** Within so many ms after healing all outcomes must be there, the cluster must answer, and all live servers must be equal. */
export const HEALING = 60_000
/** Workloads are waited for, unless nothing that they sent was acknowledged for so many ms. */
const STANDSTILL = 60_000

/** Waits for what goes on in the background, heals, and checks. */
export async function finish(run: Run): Promise<void> {
  const { world, scenario, recorder, clients } = run
  await backgroundOver(run)
  run.stopped = true
  const healed = world.now()
  const deadline = healed + HEALING
  await healAll(run)
  await resume(run, { type: 'Resume' })
  await clients.leaveDead()
  const hasMajority = running(world).length * 2 > world.servers
  if (hasMajority) await poll(world, () => recorder.pending === 0, deadline - world.now())
  if (hasMajority && recorder.pending > 0)
    run.check('liveness', false, `${recorder.pending} operations have no outcome ${HEALING} ms after healing`)
  const final = (await works(run, deadline)) ? await converge(run, healed, deadline) : null
  await feedsOver(run, final, deadline)
  if (scenario.expect !== undefined) await expect(run, scenario.expect, 'the end')
  checkEnds(run)
  await run.sampler.look()
  await run.close()
}

/** Workloads and nemeses go on until their end, unless operations are sent and nothing comes of them. */
async function backgroundOver(run: Run): Promise<void> {
  const { world, background, recorder } = run
  const isOver = (): boolean => background.workload.size + background.nemesis.size === 0
  let since = world.now()
  let last = { ok: 0, bad: 0 }
  const isStill = (): boolean => {
    const { ok, fail, info } = recorder.counts
    const isIdle = recorder.pending === 0 && fail + info === last.bad
    if (ok > last.ok || isIdle || background.nemesis.size > 0) {
      since = world.now()
      last = { ok, bad: fail + info }
    }
    return world.now() - since >= STANDSTILL
  }
  await poll(world, () => isOver() || isStill(), Infinity)
  if (!isOver()) run.note(`workloads are given up: nothing was acknowledged for ${STANDSTILL} ms`)
}

/** A majority that lives must answer. */
async function works(run: Run, deadline: number): Promise<boolean> {
  const { world, subject } = run
  const ids = running(world)
  if (ids.length * 2 <= world.servers) {
    noMajority(run)
    return false
  }
  if (subject.probe === null) return true
  const client = world.client(ids)
  const { type, error } = await run.recorder.perform(JUDGE, subject.probe, client, Math.max(1, deadline - world.now()))
  await client.close()
  const answered = type === 'ok'
  const detail = answered
    ? 'the cluster answers after healing'
    : `no answer within ${HEALING} ms after healing: ${error ?? type}${await unformed(run, ids)}`
  run.check('liveness', answered, detail)
  return answered
}

/** A new cluster serves once all its servers were up together; says so where that is what is missing. */
async function unformed({ world }: Run, ids: readonly number[]): Promise<string> {
  const all = await statuses(world, ids)
  if (!all.some((status) => status?.role === 'forming')) return ''
  const absent = serversOf(world).filter((id) => !ids.includes(id))
  const who = absent.length === 0 ? '' : `, and of these server ${absent.join(', ')} is not up`
  return `; the cluster is not formed: that takes all ${world.servers} servers, up at the same time once${who}`
}

/** All live servers come to one state, which ends the history; null if they do not. */
async function converge(run: Run, from: number, deadline: number): Promise<ServerState | null> {
  const { world } = run
  const found: { states?: readonly ServerState[] } = {}
  const look = async (): Promise<boolean> => {
    const ids = running(world) // one that was started at the end may still find out that it must not run
    const same = (await agree(world, ids)) === null ? null : await states(world, ids)
    if (same !== null) found.states = same
    return same !== null || ids.length * 2 <= world.servers
  }
  const came = await poll(world, look, deadline - world.now())
  const window = { from, to: world.now() }
  if (!came) {
    run.check('convergence', false, await apart(run, running(world)), window)
    return null
  }
  if (found.states === undefined) {
    noMajority(run)
    return null
  }
  const [first, other] = different(found.states)
  if (other !== undefined) {
    const detail = `the states of servers ${first.id} and ${other.id} differ at slot ${first.slot}`
    run.check('convergence', false, detail, window)
    return null
  }
  run.check('convergence', true, `${name(found.states.map(({ id }) => id))} at slot ${first.slot}`)
  for (const read of run.subject.finalReads(first.entries, run.recorder.events)) run.recorder.addRead(read)
  return first
}

function noMajority(run: Run): void {
  const { length } = running(run.world)
  const detail = `only ${length} of ${run.world.servers} servers run in the end: that is no majority`
  run.check('convergence', null, detail)
}

function name(ids: readonly number[]): string {
  return ids.length === 1 ? `server ${ids[0]} is the only one that runs, and is` : `servers ${ids.join(', ')} are equal`
}

async function apart({ world }: Run, ids: readonly number[]): Promise<string> {
  const all = await Promise.all(ids.map((id) => world.status(id, 1_000)))
  const shown = all.map((status, index) =>
    status === null
      ? `server ${ids[index]} does not answer`
      : `server ${status.id} (${status.role}) is at slot ${status.applied} and follows ${status.leader ?? 'nobody'}`,
  )
  return `not within ${HEALING} ms after healing: ${shown.join(', ')}`
}
