/** `npm run sim -- --seed N`: replays one simulation, or runs many. */
import { Command, InvalidArgumentError } from 'commander'
import { simulate, SimulationFailed } from './simulate.js'

interface Flags {
  readonly seed: number
  readonly to?: number
  readonly servers?: number
  readonly trace?: true
}

async function main(): Promise<void> {
  const flags = new Command('sim')
    .description('Simulates a cluster: the real server, storage and client over simulated disks, network and time.')
    .requiredOption('--seed <number>', 'the seed to run', whole)
    .option('--to <number>', 'run all seeds from --seed to this one', whole)
    .option('--servers <number>', 'servers in the cluster (default: drawn by the seed)', whole)
    .option('--trace', 'print all that happens')
    .parse()
    .opts<Flags>()
  const began = performance.now()
  const total = { seeds: 0, failed: 0, acknowledged: 0, unknown: 0, crashes: 0, events: 0, hours: 0 }
  for (let seed = flags.seed; seed <= (flags.to ?? flags.seed); seed++) {
    try {
      const result = await simulate(seed, {
        ...(flags.servers !== undefined && { servers: flags.servers }),
        ...(flags.trace && { trace: (line: string) => process.stdout.write(`${line}\n`) }),
      })
      total.acknowledged += result.acknowledged
      total.unknown += result.unknown
      total.crashes += result.crashes
      total.events += result.events
      total.hours += result.elapsed / 3_600_000
    } catch (error) {
      if (!(error instanceof SimulationFailed)) throw error
      total.failed++
      process.stdout.write(
        `${error.message}\n  replay it with: npm run sim -- --seed ${seed}${flags.servers === undefined ? '' : ` --servers ${flags.servers}`} --trace\n`,
      )
    }
    total.seeds++
  }
  const seconds = (performance.now() - began) / 1000
  process.stdout.write(
    `${total.seeds} seeds, ${total.failed} failed; ${total.acknowledged} operations acknowledged, ${total.unknown} unknown, ` +
      `${total.crashes} crashes, ${total.events} events, ${total.hours.toFixed(2)} simulated hours in ${seconds.toFixed(1)} s ` +
      `(${(total.seeds / seconds).toFixed(1)} seeds/s)\n`,
  )
  process.exitCode = total.failed === 0 ? 0 : 1
}

function whole(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

await main()
