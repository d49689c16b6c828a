/** Real text, cut into pairs: what this machine has of it, the same in every run. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

export type TextPair = readonly [key: string, value: string]

const NODE_MODULES = fileURLToPath(new URL('../../../node_modules', import.meta.url))
/** Paragraphs from this many characters on are no prose, and no source that a person wrote. */
const LONGEST_PARAGRAPH = 32_768

/**
 * So many pairs with distinct keys. Up to half of them are from the descriptions of Debian's packages, where this
 * machine has them; the others are paragraphs of what is installed under `node_modules`.
 */
export function textPairs(count: number): TextPair[] {
  const pairs = new Map<string, string>()
  take(packageFields(), pairs, Math.floor(count / 2))
  take(paragraphs(NODE_MODULES), pairs, count)
  if (pairs.size < count) throw new Error(`there are only ${pairs.size} pairs of text here, and ${count} are needed`)
  return [...pairs]
}

/** As `load` reads them and `dump` writes them. */
export function jsonLine([key, value]: TextPair): string {
  return `${JSON.stringify({ key, value })}\n`
}

/** The first value of a key stays. */
function take(source: Iterable<TextPair>, pairs: Map<string, string>, count: number): void {
  for (const [key, value] of source) {
    if (pairs.size >= count) return
    if (!pairs.has(key)) pairs.set(key, value)
  }
}

function* packageFields(): Generator<TextPair> {
  let name = ''
  for (const field of availablePackages().split(/\n+(?! )/)) {
    const [, title = '', value = ''] = /^([\w-]+): (.*)$/s.exec(field) ?? []
    if (title === 'Package') name = value
    else if (title === 'Description' || title === 'Depends' || title === 'Tag') yield [`${name}/${title}`, value]
  }
}

/** Nothing where there is no `apt-cache`, or one that knows no packages. */
function availablePackages(): string {
  try {
    return execFileSync('apt-cache', ['dumpavail'], {
      encoding: 'utf8',
      maxBuffer: 1 << 30,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch {
    return ''
  }
}

function* paragraphs(directory: string): Generator<TextPair> {
  for (const file of textFiles(directory)) {
    const name = relative(directory, file).split(sep).join('/')
    const parts = readFileSync(file, 'utf8').split(/\n\s*\n/)
    for (const [index, part] of parts.entries()) {
      if (part !== '' && part.length < LONGEST_PARAGRAPH) yield [`${name}#${index}`, part]
    }
  }
}

/** Links are not followed: what they lead to is met by itself. */
function* textFiles(directory: string): Generator<string> {
  const entries = readdirSync(directory, { withFileTypes: true })
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) yield* textFiles(path)
    else if (entry.isFile() && /\.(?:md|[cm]?[jt]s)$/.test(entry.name)) yield path
  }
}
