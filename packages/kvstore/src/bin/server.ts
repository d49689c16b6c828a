import { runServer } from '@synod/paxos'
import { kvstore } from '../service.js'

await runServer(kvstore, process.argv)
