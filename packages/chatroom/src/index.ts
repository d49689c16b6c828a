/** A replicated chatroom. */
export { chatOpSchema, MAX_AUTHOR, MAX_PAGE, MAX_TEXT } from './command.js'
export type { ChatMessage, ChatOp, ChatResult } from './command.js'
export { chatroom } from './service.js'
export { ChatState } from './state.js'
