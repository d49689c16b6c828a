/**
 * Loaded into a server's process before anything else (`node --import`): at SIGUSR2 it collects garbage, and says how much memory
 * is left, as a line. The server knows nothing of it.
 */
import { writeSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { MARK } from './live.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

process.on('SIGUSR2', () => {
  collect()
  collect() // the second one waits until what the first one found is given back
  const { heapUsed, external } = process.memoryUsage()
  writeSync(1, `${MARK}${heapUsed + external}\n`)
})
