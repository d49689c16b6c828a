/** What the terminal clients of Synod's services share. */
export { address, addresses, positive } from './arguments.js'
export { orCancelled } from './cancel.js'
export { dropLine, linesOf } from './editor.js'
export {
  CancelledError,
  describeError,
  EXIT_DONE,
  EXIT_NO,
  EXIT_UNAVAILABLE,
  EXIT_USAGE,
  exitCodeOf,
  UsageError,
} from './exit.js'
export { History, stateFile } from './history.js'
export { bar, duration, grouped, size } from './numbers.js'
export { endQuietlyWithReader, harmless, note, print, rest, word, write } from './output.js'
export {
  addConnectionOptions,
  exitCodeFrom,
  givenTimeout,
  neededServers,
  programOf,
  runClient,
  versionIn,
} from './program.js'
export type { Complain, ConnectionOptions } from './program.js'
export { addTransfer, transfer } from './transfer.js'
export { addVerify, verify } from './verify.js'
export type { VerifyOptions } from './verify.js'
