/** The public API of the harness: what runs a service's failures. */
export { simulate, SimulationFailed } from './sim/simulate.js'
export type { SimulationOptions, SimulationResult } from './sim/simulate.js'
export type { FaultMix } from './sim/faults.js'
