/** How a server leaves: a leader hands its leadership over first, and clients may go to the next leader before they have to. */
import type { PaxosStatus } from '../protocol/ready.js'
import type { Clock } from '../clock.js'

/** Between two looks (ms). */
const LOOK = 5
/** When another server leads, clients have so long to go there by themselves (ms). */
const GRACE = 200

export interface FarewellHost {
  /** Has the core begin to hand its leadership over. */
  begin(): void
  status(): Pick<PaxosStatus, 'role' | 'leader'>
  /** How many clients are connected. */
  clients(): number
  /** The server has ended meanwhile, by an error. */
  ended(): boolean
}

/** Resolves when nothing needs this server any more, or has had its time; `patience`: of a handing over (ms). */
export async function farewell(clock: Clock, host: FarewellHost, patience: number): Promise<void> {
  const until = async (condition: () => boolean, within: number): Promise<void> => {
    const deadline = clock.now() + within
    while (!condition() && !host.ended() && clock.now() < deadline)
      await new Promise<void>((resolve) => void clock.after(LOOK, resolve))
  }
  const led = host.status().role === 'leader'
  host.begin()
  if (!led) return
  await until(() => host.status().role !== 'leader', patience)
  await until(() => host.status().leader !== null, patience)
  if (host.status().leader !== null) await until(() => host.clients() === 0, GRACE)
}
