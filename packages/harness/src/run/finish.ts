/** The end of every run: all faults end, and the cluster must be well again. */
import { isDeepStrictEqual } from 'node:util'
import { agree, states } from './agreement.js'
import type { ServerState } from './agreement.js'
import { expect } from './conditions.js'
import { healAll } from './network-steps.js'
import { poll } from './poll.js'
import type { Run } from './run.js'
import { running, serversOf } from './survey.js'

/** Within so many ms after healing all outcomes must be there, the cluster must answer, and all live servers must be equal. */
export const HEALING = 60_000

/** Waits for what goes on in the background, heals, and checks. */
export async function finish(run: Run): Promise<void> {
  const { world, background, scenario } = run
  await Promise.all([...background.workload, ...background.nemesis])
  const healed = world.now()
  const deadline = healed + HEALING
  await healAll(run)
  for (const id of serversOf(world)) {
    if (world.standing(id) !== 'paused') continue
    await world.server(id).resume()
    run.bands.close(`paused ${id}`)
  }
  await poll(run.world, () => run.recorder.pending === 0, deadline - world.now())
  if (run.recorder.pending > 0)
    run.check('liveness', false, `${run.recorder.pending} operations have no outcome ${HEALING} ms after healing`)
  if (await works(run, deadline)) await converge(run, healed, deadline)
  if (scenario.expect !== undefined) await expect(run, scenario.expect, 'the end')
  checkEnded(run)
  await run.sampler.look()
  await run.clients.close()
}

/** A majority that lives must answer. */
async function works(run: Run, deadline: number): Promise<boolean> {
  const { world, subject } = run
  const ids = running(world)
  if (ids.length * 2 <= world.servers) {
    run.check('convergence', null, `only ${ids.length} of ${world.servers} servers run in the end: that is no majority`)
    return false
  }
  if (subject.probe === null) return true
  const client = world.client(ids)
  const { type, error } = await run.recorder.perform('judge', subject.probe, (op) =>
    client.submit(op, Math.max(1, deadline - world.now())),
  )
  await client.close()
  const answered = type === 'ok'
  run.check(
    'liveness',
    answered,
    answered ? 'the cluster answers after healing' : `no answer within ${HEALING} ms after healing: ${error ?? type}`,
  )
  return answered
}

/** All live servers come to one state, which ends the history. */
async function converge(run: Run, from: number, deadline: number): Promise<void> {
  const { world } = run
  const ids = running(world)
  const found: { states?: readonly ServerState[] } = {}
  const look = async (): Promise<boolean> => {
    const same = (await agree(world, ids)) === null ? null : await states(world, ids)
    if (same !== null) found.states = same
    return same !== null
  }
  const came = await poll(world, look, deadline - world.now())
  const [first, ...others] = found.states ?? []
  const window = { from, to: world.now() }
  if (!came || first === undefined) {
    run.check('convergence', false, await apart(run, ids), window)
    return
  }
  const other = others.find(({ entries }) => !isDeepStrictEqual(entries, first.entries))
  if (other !== undefined) {
    const detail = `the states of servers ${first.id} and ${other.id} differ at slot ${first.slot}`
    run.check('convergence', false, detail, window)
    return
  }
  run.check('convergence', true, `${name(ids)} at slot ${first.slot}`)
  for (const read of run.subject.finalReads(first.entries, run.recorder.events)) run.recorder.addRead(read)
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

/** A server that ended by itself must have had a reason that the scenario gave it. */
function checkEnded(run: Run): void {
  const ended = serversOf(run.world).filter((id) => run.world.standing(id) === 'ended' && !run.excused.has(id))
  for (const id of ended) {
    const last = run.world.output(id).trim().split('\n').at(-1) ?? ''
    run.check('servers', false, `server ${id} ended by itself: ${last}`)
  }
  if (ended.length === 0) run.check('servers', true, 'no server ended by itself without a reason')
}
