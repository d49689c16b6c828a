import { runServer } from '@synod/paxos'
import { chatroom } from '../service.js'

await runServer(chatroom, process.argv, { web: new URL('../web/', import.meta.url) })
