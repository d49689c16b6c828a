/** `harness simulate`: one scenario in the simulator, drawn by a seed or read from a file. */
import { Command } from 'commander'
import { drawScenario } from '../fuzz/draw.js'
import { summary } from '../report/summary.js'
import { misfits } from '../scenario/fit.js'
import { loadScenario, ScenarioError } from '../scenario/load.js'
import type { Scenario } from '../scenario/schema.js'
import { simulateScenario } from '../sim/simulate-scenario.js'
import { anySubject } from '../subject/any.js'
import type { Subject } from '../subject/subject.js'
import { addDrawOptions, drawOptions } from './drawing.js'
import type { DrawFlags } from './drawing.js'
import { addFileOptions, writeFiles } from './files.js'
import type { FileFlags } from './files.js'
import { serviceIn, subjectOf } from './subjects.js'
import { EXIT_FAILED, EXIT_HELD, UsageError, whole } from './usage.js'

interface Flags extends FileFlags, DrawFlags {
  readonly seed?: number
  readonly file?: string
  readonly service?: string
  readonly trace?: true
}

export function simulateCommand(): Command {
  const command = new Command('simulate')
    .description(
      'Runs a scenario in the simulator: the real servers, storage and clients over simulated disks, network and time. ' +
        'The same seed gives the same run, event for event.',
    )
    .option('--seed <number>', 'of all chance in the run; without a file it draws the scenario, too', whole)
    .option('--file <file.json>', 'the scenario (default: drawn by the seed)')
    .option('--service <module>', 'a module that exports a service of your own, in place of --server')
    .option('--trace', 'print all that happens')
  addDrawOptions(command)
  return addFileOptions(command).action(async (flags: Flags) => {
    process.exitCode = await simulate(flags)
  })
}

async function simulate(flags: Flags): Promise<number> {
  const scenario = await scenarioOf(flags)
  const subject = await simulatedSubject(flags)
  const problems = misfits(scenario, 'simulator', subject)
  if (problems.length > 0) throw new ScenarioError(flags.file ?? scenario.name, problems)
  const trace = (line: string): void => {
    process.stdout.write(`${line}\n`)
  }
  const { report, digest, events } = await simulateScenario(scenario, subject, flags.trace === true ? { trace } : {})
  await writeFiles(report, flags)
  process.stdout.write(`${summary(report, process.stdout.isTTY)}${events} events; digest of the trace ${digest}\n`)
  return report.ok ? EXIT_HELD : EXIT_FAILED
}

/** The simulator needs no command, only the service. */
async function simulatedSubject({ server, service }: Flags): Promise<Subject> {
  if (service === undefined) {
    const known = await subjectOf(server, undefined)
    if (known.service === undefined)
      throw new UsageError(
        `--server ${server}: the simulator needs the service, not its command: give --service MODULE, which exports it`,
      )
    return known
  }
  const found = await serviceIn(service)
  return anySubject(found.name, found)
}

async function scenarioOf({ seed, file, ...drawing }: Flags): Promise<Scenario> {
  if (file === undefined) {
    if (drawing.service !== undefined)
      throw new UsageError('--service needs --file: operations of your own service cannot be drawn')
    if (seed === undefined) throw new UsageError('give --seed N, which draws a scenario, or --file F.json')
    return drawScenario(seed, drawOptions(drawing))
  }
  if (drawing.servers !== undefined || drawing.faults !== undefined)
    throw new UsageError('--servers and --faults are for scenarios that are drawn: the file says its own')
  const scenario = await loadScenario(file)
  return seed === undefined ? scenario : { ...scenario, seed }
}
