/** The counter's server command, for the tests of the command line. */
import { runServer } from '@synod/paxos'
import { counter } from './support.js'

await runServer(counter, process.argv)
