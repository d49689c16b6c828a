/** What the Tab key offers: commands, options, and keys of the store. */
import { word } from '@synod/terminal'
import type { Command } from 'commander'
import type { KvClient } from '../client.js'
import { cutLine } from './words.js'

/** At most this many keys are offered. */
const MAX_KEYS = 100

/** Commands whose first word is a key, or the beginning of one. */
const WITH_KEY = new Set(['get', 'set', 'del', 'cas', 'list', 'count', 'watch'])

/** Answers what may stand for the last word of the line, and that word as it was typed. */
export async function complete(program: Command, store: KvClient, line: string): Promise<[string[], string]> {
  const { words } = cutLine(line)
  const typing = words.length === 0 || (/[ \t]$/.test(line) && !cutLine(line).open) ? undefined : words.at(-1)
  const typed = typing === undefined ? '' : line.slice(typing.start)
  const before = typing === undefined ? words : words.slice(0, -1)
  const [command, ...others] = before.map((each) => each.text)
  const start = typing?.text ?? ''
  if (command === undefined) {
    const names = ['help', 'exit', ...program.commands.map((each) => each.name())]
    return [names.filter((name) => name.startsWith(start)).map((name) => `${name} `), typed]
  }
  if (typed.startsWith('-')) {
    const options = program.commands.find((each) => each.name() === command)?.options ?? []
    return [options.flatMap(({ long }) => (long?.startsWith(typed) === true ? [`${long} `] : [])), typed]
  }
  if (!WITH_KEY.has(command) || others.some((other) => !other.startsWith('-'))) return [[], typed]
  const keys: string[] = []
  for await (const key of store.keys(start, { limit: MAX_KEYS })) keys.push(`${word(key)} `)
  return [keys, typed]
}
