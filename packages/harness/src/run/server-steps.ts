/** Steps that do something to servers: their processes, disks and clocks. Each answers with why it was not done, or null. */
import type { Step, StepOf } from '../scenario/schema.js'
import type { Band } from '../report/report.js'
import type { ServerFaults } from '../world/world.js'
import { noteEnd } from './ends.js'
import type { Run } from './run.js'
import { running, serversOf } from './survey.js'

type Done = Promise<string | null>
type ServerStep = StepOf<
  | 'Restart'
  | 'Stop'
  | 'Crash'
  | 'Pause'
  | 'Wipe'
  | 'Corrupt'
  | 'Truncate'
  | 'Misdirect'
  | 'DiskFull'
  | 'FsyncError'
  | 'SlowDisk'
  | 'ClockJump'
  | 'ClockRate'
>

/** Starts one server, or all that are down. */
export async function start(run: Run, { id, repair }: StepOf<'Start'>): Done {
  if (id !== undefined) return startOne(run, id, repair)
  const answers = await Promise.all(serversOf(run.world).map((server) => startOne(run, server)))
  return answers.every((answer) => answer !== null) ? 'all servers are up' : null
}

async function startOne(run: Run, id: number, repair?: boolean): Done {
  noteEnd(run, id)
  const problem = await run.world.server(id).start({ repair })
  if (problem === null) run.bands.close(`down ${id}`)
  if (repair === true) run.excused.add(id) // a directory that is whole is refused, as it should be
  return problem
}

/** One server writes a snapshot, or all that are up. */
export async function snapshot(run: Run, { id }: StepOf<'Snapshot'>): Done {
  const one = id === undefined ? null : await run.who(id)
  if (typeof one === 'string') return one
  const ids = one === null ? running(run.world) : [one]
  if (ids.length === 0) return 'no server is up'
  const answers = await Promise.all(ids.map((server) => run.world.server(server).snapshot()))
  return answers.find((answer) => answer !== null) ?? null
}

/** The leader hands its leadership over; done when the other one leads. */
export async function transfer(run: Run, { id }: StepOf<'Transfer'>): Done {
  const to = await run.who(id)
  if (typeof to === 'string') return to
  const leader = await run.who('leader')
  if (typeof leader === 'string') return leader
  return leader === to ? `server ${to} leads already` : run.world.server(leader).handOver(to)
}

/** Lets one server that is paused go on, or all of them. */
export async function resume(run: Run, { id }: StepOf<'Resume'>): Done {
  const { world, bands } = run
  const paused = serversOf(world).filter((server) => world.standing(server) === 'paused')
  if (id === undefined && paused.length === 0) return 'no server is paused'
  const answers = await Promise.all((id === undefined ? paused : [id]).map((server) => world.server(server).resume()))
  for (const server of paused) if (world.standing(server) !== 'paused') bands.close(`paused ${server}`)
  return answers.find((answer) => answer !== null) ?? null
}

/** What each step does to the server that it names, and which band it leaves in the report. */
export async function strike(run: Run, step: ServerStep): Done {
  const id = await run.who(step.id)
  if (typeof id === 'string') return id
  const problem = step.type === 'Restart' ? await restart(run, id) : await act(run.world.server(id), step)
  if (problem === null) {
    if (mayEnd(step)) run.excused.add(id)
    const band = bandOf(step)
    if (band !== null) run.bands.open(`${band.state} ${id}`, `server ${id} ${band.label}`, band.kind, id)
  }
  const standing = run.world.standing(id)
  if (standing !== 'paused') run.bands.close(`paused ${id}`)
  if (standing === 'down' && !run.bands.has(`down ${id}`))
    run.bands.open(`down ${id}`, `server ${id} is down`, 'server', id)
  return problem
}

/** One that did not end by itself, and was killed, is started all the same. */
async function restart(run: Run, id: number): Done {
  const ran = ['up', 'paused'].includes(run.world.standing(id))
  const problem = await run.world.server(id).stop()
  return ran ? ((await startOne(run, id)) ?? problem) : problem
}

async function act(server: ServerFaults, step: Exclude<ServerStep, { type: 'Restart' }>): Done {
  switch (step.type) {
    case 'Stop':
      return server.stop()
    case 'Crash':
      return server.crash({ powerLoss: step.powerLoss, on: step.on })
    case 'Pause':
      return server.pause()
    case 'Wipe':
      return server.wipe()
    case 'Corrupt':
      return server.corrupt({ file: step.file, offset: step.offset, tail: step.tail })
    case 'Truncate':
      return server.truncate(step.file, step.bytes)
    case 'Misdirect':
      return server.misdirect()
    case 'DiskFull':
      return server.diskFull(step.room ?? 0)
    case 'FsyncError':
      return server.fsyncError(step.always === true)
    case 'SlowDisk':
      return server.slowDisk(step.ms)
    case 'ClockJump':
      return server.clockJump(step.ms)
    case 'ClockRate':
      return server.clockRate(step.rate)
  }
}

/** A server whose disk fails, is full when it starts, or holds damage ends by itself: that is what it should do. */
function mayEnd({ type }: Step): boolean {
  return ['Corrupt', 'Truncate', 'Misdirect', 'Wipe', 'FsyncError', 'DiskFull'].includes(type)
}

function bandOf(step: ServerStep): { state: string; label: string; kind: Band['kind'] } | null {
  switch (step.type) {
    case 'Stop':
      return { state: 'down', label: 'is stopped', kind: 'server' }
    case 'Crash':
      return { state: 'down', label: 'is down', kind: 'server' }
    case 'Pause':
      return { state: 'paused', label: 'is paused', kind: 'server' }
    case 'DiskFull':
      return { state: 'full', label: 'has a full disk', kind: 'disk' }
    case 'FsyncError':
      return { state: 'failing', label: 'cannot sync', kind: 'disk' }
    case 'SlowDisk':
      return { state: 'slow', label: `has a disk that takes ${step.ms} ms more`, kind: 'disk' }
    case 'ClockRate':
      return { state: 'rate', label: `has a clock ${step.rate} times as fast`, kind: 'clock' }
    default:
      return null
  }
}

/** Ends what holds of a server's disk and clock until it is healed. */
export async function healServer(run: Run, id: number): Done {
  run.bands.closeAll('disk', id)
  run.bands.closeAll('clock', id)
  return run.world.server(id).heal()
}
