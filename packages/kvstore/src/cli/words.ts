/** A line of the prompt, cut into words. */
import { UsageError } from '@synod/terminal'

/** A word of a line. */
export interface Word {
  /** Without its quotes, escapes replaced. */
  readonly text: string
  /** Where it begins in the line, its opening quote included. */
  readonly start: number
}

export interface Line {
  readonly words: readonly Word[]
  /** The line ends within quotes. */
  readonly open: boolean
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/**
 * Cuts a line at its spaces. `'single quotes'` keep everything as it is, `"double quotes"` know the escapes of JSON. A
 * backslash without quotes is only a backslash. Throws {@link UsageError} for an escape that does not exist.
 */
export function cutLine(line: string): Line {
  const words: Word[] = []
  let at = 0
  for (;;) {
    while (isSpace(line[at])) at += 1
    if (at >= line.length) return { words, open: false }
    const start = at
    let text = ''
    while (at < line.length && !isSpace(line[at])) {
      const character = line.charAt(at)
      if (character !== '"' && character !== "'") {
        text += character
        at += 1
        continue
      }
      const quoted = readQuoted(line, at)
      text += quoted.text
      at = quoted.end
      if (quoted.open) return { words: [...words, { text, start }], open: true }
    }
    words.push({ text, start })
  }
}

/** Cuts a line into the words of a command. Throws {@link UsageError} also if a quote is not closed. */
export function splitWords(line: string): string[] {
  const { words, open } = cutLine(line)
  if (open) throw new UsageError('a quote is not closed')
  return words.map((word) => word.text)
}

function isSpace(character: string | undefined): boolean {
  return character === ' ' || character === '\t'
}

/** Reads from the opening quote at `start` to behind the closing one. */
function readQuoted(line: string, start: number): { text: string; end: number; open: boolean } {
  const quote = line.charAt(start)
  let text = ''
  let at = start + 1
  while (at < line.length) {
    const character = line.charAt(at)
    if (character === quote) return { text, end: at + 1, open: false }
    if (quote === '"' && character === '\\') {
      const escape = readEscape(line, at)
      text += escape.text
      at = escape.end
    } else {
      text += character
      at += 1
    }
  }
  return { text, end: at, open: true }
}

function readEscape(line: string, start: number): { text: string; end: number } {
  const hex = /^\\u([0-9a-fA-F]{4})/.exec(line.slice(start, start + 6))?.[1]
  if (hex !== undefined) return { text: String.fromCharCode(parseInt(hex, 16)), end: start + 6 }
  const letter = line.charAt(start + 1)
  if (letter === '') return { text: '', end: start + 1 }
  const text = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined
  if (text === undefined) {
    throw new UsageError(`"\\${letter}" is not an escape; within double quotes write "\\\\" for a backslash`)
  }
  return { text, end: start + 2 }
}
