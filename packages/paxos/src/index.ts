/** The public API of Synod. */
export { SynodError } from './protocol/error.js'
export { defineService, Refusal } from './service/service.js'
export type { Command, Service, State } from './service/service.js'
