import { main } from '../cli/program.js'

// Whoever reads what it says may go away (`… | head -1`): that is no error.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
process.exitCode = await main(process.argv)
