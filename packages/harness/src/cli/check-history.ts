/** `harness check-history`: judges a history that is in a file. */
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { Command, InvalidArgumentError, Option } from 'commander'
import { check } from '../checker/check.js'
import type { Model } from '../checker/model.js'
import { chatModel } from '../checker/models/chat.js'
import { kvModel } from '../checker/models/kv.js'
import { registerModel } from '../checker/models/register.js'
import { serviceModel } from '../checker/models/service.js'
import type { Offence, Verdict } from '../checker/verdict.js'
import type { HistoryEvent } from '../history/history.js'
import { parseHistory } from '../history/jsonl.js'
import type { HistoryFile } from '../history/jsonl.js'
import { MalformedHistory } from '../history/malformed.js'
import { serviceIn } from './subjects.js'
import { EXIT_FAILED, EXIT_HELD, EXIT_USAGE } from './usage.js'

/** It could not be decided in time. */
const EXIT_UNKNOWN = 3

/** How long it may take unless the user says otherwise (s). */
const TIMEOUT = 60

/** Lines of an offence's prefix that are printed, at most. */
const MAX_LINES = 12

const MODELS: ReadonlyMap<string, Model> = new Map<string, Model>([
  ['register', registerModel],
  ['kv', kvModel],
  ['chat', chatModel],
])

interface Flags {
  readonly service?: string
  readonly model: string
  readonly timeout: number
}

const MORE = `
A history is JSON Lines, an event each, in the order of their times (ms):
  {"process":1,"type":"invoke","f":"cas","key":"x","value":["old","new"],"time":12.5}
  {"process":1,"type":"fail","f":"cas","key":"x","time":13.1}
type: invoke, ok, fail (it had no effect; of a cas without an "error": another value was there), info (it may have).
f:    read, write, cas, delete, list, count (key: the prefix); of a chat (key: the room) append, read, edit ([number,
      message]), erase (the number), join, leave, who. null is an absent key, and an erased message.

Exit codes: 0 linearizable; 1 not; 2 the file or the usage is bad; 3 not decided within the timeout.`

/** The command; it sets `process.exitCode`. */
export function checkHistoryCommand(): Command {
  return new Command('check-history')
    .description('Judges whether a history is linearizable, and shows the smallest prefix that is not.')
    .argument('<file.jsonl>', 'the history; - is standard input')
    .addOption(new Option('--model <model>', 'what the operations are of').choices([...MODELS.keys()]).default('kv'))
    .option('--service <module>', 'a module that exports the service that the operations are of, in place of --model')
    .option('--timeout <seconds>', 'how long it may take', seconds, TIMEOUT)
    .addHelpText('after', MORE)
    .action(async (file: string, flags: Flags) => {
      process.exitCode = await checkHistory(file, flags)
    })
}

async function checkHistory(file: string, { model, service, timeout }: Flags): Promise<number> {
  const began = performance.now()
  const name = file === '-' ? 'standard input' : file
  try {
    const content = file === '-' ? await text(process.stdin) : await readFile(file, 'utf8')
    const history = parseHistory(content)
    const judge = service === undefined ? (MODELS.get(model) ?? kvModel) : serviceModel(await serviceIn(service))
    const verdict = check(history.events, judge, {
      timeout: timeout * 1000,
      lines: history.lines,
    })
    const elapsed = `${((performance.now() - began) / 1000).toFixed(2)} s`
    const counted = `${verdict.operations} operations, ${countKeys(history.events)} keys, ${elapsed}`
    process.stdout.write(`${name}: ${verdict.result}: ${counted}\n`)
    return tell(verdict, history, content, timeout)
  } catch (error) {
    if (!(error instanceof MalformedHistory || isSystemError(error))) throw error
    process.stderr.write(`harness: ${error instanceof MalformedHistory ? `${name}: ` : ''}${error.message}\n`)
    return EXIT_USAGE
  }
}

/** Says what there is to say of the verdict; returns the exit code. */
function tell(verdict: Verdict, history: HistoryFile, content: string, timeout: number): number {
  switch (verdict.result) {
    case 'linearizable':
      return EXIT_HELD
    case 'not linearizable':
      process.stdout.write(`${described(verdict.offence, history, content.split('\n')).join('\n')}\n`)
      return EXIT_FAILED
    case 'unknown':
      process.stdout.write(`  not decided within ${timeout} s: ${verdict.undecided.map(nameOf).join(', ')}\n`)
      return EXIT_UNKNOWN
  }
}

function described(offence: Offence, { events, lines }: HistoryFile, text: string[]): string[] {
  const { key, prefix, isSmallest, why, from, to } = offence
  const places = events.flatMap((event, place) => (place < prefix && concerns(event, key) ? [place] : []))
  const last = places.slice(-MAX_LINES)
  const left = places.length - last.length
  return [
    `  ${why}`,
    `  ${isSmallest ? 'the smallest' : 'a'} prefix that is not linearizable: the first ${prefix} of ${events.length} events`,
    `  ${nameOf(key)}, from ${from} to ${to} ms:`,
    ...(left > 0 ? [`  … ${left} earlier ${left === 1 ? 'line' : 'lines'}`] : []),
    ...last.map((place) => `  line ${lines[place]}: ${text[(lines[place] ?? 0) - 1]?.trim()}`),
  ]
}

/** Whether an event is of the key, or sees it among others. */
function concerns(event: HistoryEvent, key: string | null): boolean {
  if (key === null || (event.key ?? null) === key) return true
  return (event.f === 'list' || event.f === 'count') && key.startsWith(event.key ?? '')
}

function nameOf(key: string | null): string {
  return key === null ? 'all keys' : `key ${JSON.stringify(key)}`
}

function countKeys(events: readonly HistoryEvent[]): number {
  return new Set(events.flatMap(({ f, key }) => (f === 'list' || f === 'count' ? [] : [key ?? null]))).size
}

function seconds(text: string): number {
  const number = Number(text)
  if (!(number > 0 && number < Infinity)) throw new InvalidArgumentError('It must be a number of seconds.')
  return number
}

/** A file that cannot be read; its message names it. */
function isSystemError(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error
}
