/** Steps that do something to the network between servers. Each answers with why it was not done, or null. */
import type { StepOf, Who } from '../scenario/schema.js'
import type { LinkFaults } from '../world/links.js'
import type { Run } from './run.js'
import { healServer } from './server-steps.js'
import { serversOf } from './survey.js'

type Done = Promise<string | null>
type LinkStep = StepOf<'Cut' | 'Delay' | 'Drop' | 'Duplicate' | 'Reorder' | 'Throttle' | 'Clog'>
interface Ends {
  readonly from: number | undefined
  readonly to: number | undefined
}

export async function partition(run: Run, { groups }: StepOf<'Partition'>): Done {
  run.world.links.partition(groups)
  const ids = serversOf(run.world)
  const apart = ids.flatMap((a) =>
    ids.filter((b) => !groups.some((group) => group.includes(a) && group.includes(b))).map((b) => [a, b] as const),
  )
  const label = groups.map((group) => group.join(' ')).join(' | ')
  run.bands.open('partition', label, 'network', null, () => apart.some(([a, b]) => run.world.links.isCut(a, b)))
  return null
}

/** One fault of a link, or of all links. */
export async function degrade(run: Run, step: LinkStep): Done {
  const { links } = run.world
  const ends = await endsOf(run, step)
  if (typeof ends === 'string') return ends
  const { from, to } = ends
  const bothWays = step.type === 'Cut' && step.oneWay !== true
  links.set(from, to, faultsOf(run, step))
  if (bothWays) links.set(to, from, { cut: true })
  const holds = (): boolean => !links.areWhole(from, to)
  run.bands.open(`${step.type} ${from} ${to}`, `${describe(step)} ${nameEnds(ends, bothWays)}`, 'network', null, holds)
  return null
}

/** Breaks connections, once. */
export async function sever(run: Run, step: StepOf<'Sever'>): Done {
  const ends = await endsOf(run, step)
  if (typeof ends === 'string') return ends
  const ids = serversOf(run.world)
  for (const a of ids) {
    for (const b of ids) {
      if (a < b && (joins(ends, a, b) || joins(ends, b, a))) run.world.sever(a, b)
    }
  }
  return null
}

export async function heal(run: Run, step: StepOf<'Heal'>): Done {
  const { links } = run.world
  if (step.id !== undefined) {
    const id = await run.who(step.id)
    return typeof id === 'string' ? id : healServer(run, id)
  }
  if (step.from === undefined && step.to === undefined) return healAll(run)
  const ends = await endsOf(run, step)
  if (typeof ends === 'string') return ends
  links.heal(ends.from, ends.to)
  if (step.oneWay !== true) links.heal(ends.to, ends.from)
  run.bands.closeOver()
  return null
}

/** Ends every fault of the network, and of the disks and clocks of all servers. */
export async function healAll(run: Run): Promise<null> {
  run.world.links.heal()
  run.bands.closeAll('network')
  for (const id of serversOf(run.world)) await healServer(run, id)
  return null
}

async function endsOf(run: Run, step: { from?: Who | undefined; to?: Who | undefined }): Promise<Ends | string> {
  const from = step.from === undefined ? undefined : await run.who(step.from)
  const to = step.to === undefined ? undefined : await run.who(step.to)
  if (typeof from === 'string') return from
  if (typeof to === 'string') return to
  return from === undefined || from !== to ? { from, to } : `from and to are both server ${from} now`
}

function joins({ from, to }: Ends, a: number, b: number): boolean {
  return (from ?? a) === a && (to ?? b) === b
}

function faultsOf(run: Run, step: LinkStep): Partial<LinkFaults> {
  switch (step.type) {
    case 'Cut':
      return { cut: true }
    case 'Delay':
      return { delay: step.ms, jitter: step.jitter ?? 0 }
    case 'Drop':
      return { drop: step.rate }
    case 'Duplicate':
      return { duplicate: step.rate }
    case 'Reorder':
      return { reorder: step.rate, ...(step.ms !== undefined && { reorderBy: step.ms }) }
    case 'Throttle':
      return { bytesPerSecond: step.bytesPerSecond }
    case 'Clog':
      return { cloggedUntil: run.world.now() + step.ms }
  }
}

function describe(step: LinkStep): string {
  const percent = (rate: number): string => `${Math.round(rate * 1000) / 10} %`
  switch (step.type) {
    case 'Cut':
      return 'cut'
    case 'Delay':
      return `delay of ${step.ms} to ${step.ms + (step.jitter ?? 0)} ms`
    case 'Drop':
      return `${percent(step.rate)} dropped`
    case 'Duplicate':
      return `${percent(step.rate)} doubled`
    case 'Reorder':
      return `${percent(step.rate)} re-ordered`
    case 'Throttle':
      return `${step.bytesPerSecond} bytes/s`
    case 'Clog':
      return `clogged for ${step.ms} ms`
  }
}

function nameEnds({ from, to }: Ends, bothWays: boolean): string {
  if (from === undefined && to === undefined) return 'everywhere'
  return `${from ?? 'all'} ${bothWays ? '↔' : '→'} ${to ?? 'all'}`
}
