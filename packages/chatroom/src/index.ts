/** A replicated chatroom. */
export { ChatClient } from './client.js'
export type { ChatConnection, PageOptions, Post } from './client.js'
export {
  chatOpSchema,
  LOBBY,
  MAX_HERE,
  MAX_JOINED,
  MAX_MESSAGES,
  MAX_NAME,
  MAX_PAGE,
  MAX_ROOMS,
  MAX_TEXT,
  PAGE_TEXT,
} from './command.js'
export type {
  ChatEvent,
  ChatMessage,
  ChatOp,
  ChatOpOf,
  ChatResult,
  ChatResults,
  Presence,
  RoomSummary,
} from './command.js'
export { connectChatroom } from './connect.js'
export { Chat } from './live/chat.js'
export type { ChatChange } from './live/chat.js'
export type { Draft, Me, Unsent } from './live/outbox.js'
export type { Room, RoomChange } from './live/room.js'
export { drawSecret } from './live/secret.js'
export { chatroom } from './service.js'
export type { ChatEntry } from './snapshot.js'
export { ChatState } from './state.js'
