/** `synod-log dump`: the records of a log, or the entries of a snapshot, in order. */
import type { SlotRange } from './damage.js'
import { showDamage } from './damage.js'
import { readLog } from './log.js'
import { print } from './output.js'
import { commandsOf, describeCommand, describeRecord, recordToJson, within } from './show-record.js'
import { dumpSnapshot } from './dump-snapshot.js'
import { targetAt } from './target.js'
import { EXIT_DAMAGED, EXIT_WHOLE, UsageError } from './usage.js'
import type { FoundBatch } from './walk.js'

/** What is to be shown, and how. */
export interface DumpOptions {
  readonly json: boolean
  /** Only what concerns these slots; null: all records. */
  readonly slots: SlotRange | null
}

/**
 * Prints a line for each record; for people, its commands stand in lines of their own below it. What is damaged is told on
 * standard error, and what is behind it is printed too. Answers with the exit code.
 */
export async function dump(path: string, options: DumpOptions): Promise<number> {
  const target = await targetAt(path)
  if (target.type === 'snapshot') {
    if (options.slots !== null) throw new UsageError('a snapshot has entries, not slots: leave --from and --to out')
    return dumpSnapshot(target.disk, target.file, options.json)
  }
  let code = EXIT_WHOLE
  let empty = true
  for await (const step of readLog(target.disk, target.type === 'log' ? target.file : null)) {
    empty = false
    if (step.type === 'batch') await printBatch(step, options)
    if (step.type === 'damage') code = EXIT_DAMAGED
    if (step.type === 'damage' || step.type === 'note') {
      process.stderr.write(`synod-log: ${step.type === 'damage' ? showDamage(step) : `${step.file} ${step.what}`}\n`)
    }
  }
  if (empty) throw new UsageError(`there is no log in ${path}`)
  return code
}

async function printBatch(
  { file, at, number, count, records }: FoundBatch,
  { json, slots }: DumpOptions,
): Promise<void> {
  const place = { file, offset: at, batch: number }
  if (count === 0 && slots === null) {
    await print(json ? JSON.stringify({ ...place, type: 'seal' }) : `${file}:${at} batch ${number} seal`)
  }
  for (const { at: offset, record: whole } of records) {
    const record = slots === null ? whole : within(whole, slots)
    if (record === null) continue
    if (json) {
      await print(JSON.stringify({ ...place, offset, ...recordToJson(record) }))
      continue
    }
    await print(`${file}:${offset} batch ${number} ${describeRecord(record)}`)
    const { first, commands } = commandsOf(record) ?? { first: 0, commands: [] }
    for (const [index, command] of commands.entries()) await print(`  ${describeCommand(first + index, command)}`)
  }
}
