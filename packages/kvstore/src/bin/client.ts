import { endQuietlyWithReader } from '../cli/output.js'
import { main } from '../cli/main.js'

endQuietlyWithReader()
const code = await main(process.argv)
// Whatever is still open (a connection attempt, standard input) must not hold the process; what is written must be out.
process.stdout.write('', () => process.exit(code))
