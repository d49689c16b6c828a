/**
 * The script of a report's page, as one text.
 *
 * It is written as modules in page/, compiled (with the browser's types) and tested like all else here; but a page that
 * stands alone cannot import. So the compiled modules are put one after the other, without their imports and exports:
 * they share one scope, and no two of them may give the same name to something. That is all that a bundler would do,
 * and no package has to be built in another way than by the compiler for it.
 */
import { readFileSync } from 'node:fs'

/** In an order in which all is there before it is needed. */
const MODULES = [
  'data',
  'palette',
  'range',
  'rows',
  'find',
  'describe',
  'draw-items',
  'draw',
  'overview',
  'input',
  'elements',
  'tip',
  'timeline',
  'table',
  'main',
]

/** The text. Throws if a module holds an import or export of another form than those in page/. */
export function pageScript(): string {
  const text = MODULES.map(moduleText).join('\n')
  if (/^\s*(import|export)\b/m.test(text)) throw new Error('a module of the page imports or exports in another way')
  return text
}

function moduleText(name: string): string {
  return readFileSync(new URL(`page/${name}.js`, import.meta.url), 'utf8')
    .replace(/^import [^'"]+ from '\.\/[a-z-]+\.js';?$\n?/gm, '')
    .replace(/^export (?=(class|const|function) )/gm, '')
}
