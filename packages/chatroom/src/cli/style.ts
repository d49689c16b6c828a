/** Colours and the like, where the terminal has them and the user wants them. */
import { styleText } from 'node:util'

type Format = Parameters<typeof styleText>[0]

/** Gives text a format, or leaves it as it is. */
export type Style = (format: Format, text: string) => string

/** Standard output's. */
export function styleOf(stdout: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Style {
  const isWanted = stdout.isTTY && (env['NO_COLOR'] ?? '') === '' && stdout.hasColors()
  return isWanted ? styleText : (_format, text) => text
}

const COLOURS = ['cyan', 'green', 'yellow', 'magenta', 'blue', 'red'] as const

/** The same colour for the same name, everywhere. */
export function colourOf(name: string): (typeof COLOURS)[number] {
  let hash = 0
  for (let at = 0; at < name.length; at += 1) hash = (Math.imul(hash, 31) + name.charCodeAt(at)) >>> 0
  return COLOURS[hash % COLOURS.length] ?? 'cyan'
}
