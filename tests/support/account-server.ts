/** The command of that service. */
import { runServer } from '@synod/paxos'
import { account } from './account.js'

await runServer(account, process.argv)
