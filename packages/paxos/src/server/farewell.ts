/** How a server leaves: a leader hands its leadership over first, and clients may go to the next leader before they have to. */
import type { Clock } from '../clock.js'
import type { Input, PaxosStatus } from '../protocol/ready.js'
import { until } from './until.js'

/** When another server leads, clients have so long to go there by themselves (ms). */
const GRACE = 200

export interface Leaving {
  readonly core: { status(): Pick<PaxosStatus, 'role' | 'leader'> }
  readonly loop: { step(input: Input): void; turn(): void }
  /** How many are connected. */
  readonly clients: { readonly size: number }
  /** It is the only server of its cluster. */
  readonly alone: boolean
  /** Whether the server has ended meanwhile, by an error. */
  readonly ended: () => boolean
}

/** Resolves when nothing needs this server any more, or has had its time; `patience`: of a handing over (ms). */
export async function farewell(
  clock: Clock,
  { core, loop, clients, alone, ended }: Leaving,
  patience: number,
): Promise<void> {
  const wait = (condition: () => boolean, within: number): Promise<boolean> =>
    until(clock, () => condition() || ended(), within)
  const led = core.status().role === 'leader'
  loop.step({ type: 'stop', now: clock.now() })
  loop.turn()
  if (!led || alone) return
  await wait(() => core.status().role !== 'leader', patience)
  await wait(() => core.status().leader !== null, patience)
  if (core.status().leader !== null) await wait(() => clients.size === 0, GRACE)
}
