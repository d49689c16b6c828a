/** The public API of the harness: what runs a service's failures, and a cluster of real processes. */
export { ProcessCluster } from './process.js'
export type { ProcessClusterOptions } from './process.js'
export { simulate, SimulationFailed } from './sim/simulate.js'
export type { SimulationOptions, SimulationResult } from './sim/simulate.js'
export type { FaultMix } from './sim/faults.js'
