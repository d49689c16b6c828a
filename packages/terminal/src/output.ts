/** Writing to standard output and standard error. */
import { once } from 'node:events'
import { EXIT_DONE } from './exit.js'

/** Whoever reads our output may stop reading (`dump | head`): that is no error. Call once, before the first output. */
export function endQuietlyWithReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      process.exit(EXIT_DONE)
    })
  }
}

/** Writes to standard output, at the speed of whoever reads it. */
export async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain')
}

/** Writes a line to standard output. */
export async function print(line: string): Promise<void> {
  await write(`${line}\n`)
}

/** Writes a line to standard error: what is for people and not a result. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`)
}

/**
 * Text in one line that a terminal shows as it is: in JSON's quotes if it has control characters, quotes or, as a word of
 * the prompt, spaces. The prompt reads it back.
 */
export function word(text: string): string {
  return text === '' || /[\s"'\p{Cc}\p{Cf}]/u.test(text) ? quote(text) : text
}

/** As {@link word}, but spaces within are left: for the last word of a line. */
export function rest(text: string): string {
  return text === '' || /^["'\s]|\s$|[\p{Cc}\p{Cf}]/u.test(text) ? quote(text) : text
}

/**
 * Text of others, so that it can do nothing to the terminal and does not look like another text: control characters but
 * line ends, and those that change the direction or cannot be seen, become escapes. What joins the parts of an emoji, or
 * keeps letters apart, is left.
 */
export function harmless(text: string): string {
  return text.replace(/(?![\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escaped)
}

/** JSON's quotes, and escapes for all that a terminal would not show. */
function quote(text: string): string {
  return JSON.stringify(text).replace(/[\p{Cc}\p{Cf}]/gu, escaped)
}

function escaped(character: string): string {
  return [...Array(character.length).keys()]
    .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
    .join('')
}
