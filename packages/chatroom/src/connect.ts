/** From Node to a cluster of chatroom servers. */
import { connect, type ClientOptions } from '@synod/paxos'
import { ChatClient } from './client.js'
import { chatroom } from './service.js'

/** Connects to a cluster of chatroom servers; it need not be up yet. Throws SynodError `BAD_OPTION`. */
export function connectChatroom(options: ClientOptions): ChatClient {
  return new ChatClient(connect(chatroom, options))
}
