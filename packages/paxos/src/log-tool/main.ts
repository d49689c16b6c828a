/** The process of `synod-log`. */
import { endWithReader, flush } from './output.js'
import { main } from './program.js'

endWithReader()
const code = await main(process.argv)
await flush()
process.stdout.write('', () => process.exit(code))
