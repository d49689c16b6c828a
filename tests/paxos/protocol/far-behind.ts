import type { Limits } from '@synod/paxos/internal/protocol/config'
import { Network } from '../../support/network.js'

/** Server 0 leads; server 2 hears nothing of what is decided in the slots from 2 on. Tails hold four commands. */
export function farBehind(slots: number, limits: Partial<Limits> = {}): Network {
  const network = new Network(3, { limits: { tailCommands: 4, runCommands: 4, ...limits } })
  network.elect(0)
  network.submit(0, 'open n')
  network.settle()
  network.run(100)
  network.cut('0-2', '1-2')
  for (let slot = 2; slot <= slots; slot++) network.submit(0, `1.n/${slot}^${slot - 2} x`)
  network.settle()
  network.run(500)
  network.transcript()
  return network
}
