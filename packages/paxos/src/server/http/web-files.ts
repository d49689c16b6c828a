/** The static files of a service's own web page: read into memory once, so that no request reaches the disk. */
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { badOption } from '../addresses.js'
import { contentOf } from './content.js'
import type { Content } from './content.js'

/** What the files may be in all. */
const MAX_FILES = 1_000
const MAX_BYTES = 16 << 20

/**
 * Reads all files below a directory, by their paths in a URL: `/page.js`; `/` and `/sub/` for an index.html. Files and
 * directories whose names begin with a dot are left out.
 *
 * @param isReserved paths that the server itself has a use for
 * Throws `BAD_OPTION`.
 */
export function readWebFiles(
  directory: string | URL,
  isReserved: (path: string) => boolean,
): ReadonlyMap<string, Content> {
  const root = rootOf(directory)
  const files = new Map<string, Content>()
  let bytes = 0
  for (const file of filesBelow(root, root)) {
    const path = `/${relative(root, file).split(sep).join('/')}`
    if (isReserved(path)) {
      throw badOption(`the web file ${file} cannot be served: the server itself answers at ${path}, so rename the file`)
    }
    const content = contentOf(
      path,
      readable(file, () => readFileSync(file)),
    )
    bytes += content.body.length
    if (bytes > MAX_BYTES)
      throw badOption(
        `the web files in ${root} are larger than ${MAX_BYTES >> 20} MiB: they are kept in memory, so give fewer`,
      )
    if (files.size >= MAX_FILES) throw tooMany(root)
    files.set(path, content)
  }
  for (const [path, content] of [...files]) {
    if (path.endsWith('/index.html')) files.set(path.slice(0, -'index.html'.length), content)
  }
  return files
}

function rootOf(directory: string | URL): string {
  if (directory instanceof URL && directory.protocol !== 'file:')
    throw badOption(`the web files' directory must be a path or a file URL, not ${directory.href}`)
  const path = directory instanceof URL ? fileURLToPath(directory) : directory
  const root = readable(path, () => realpathSync(path))
  if (!statSync(root).isDirectory()) throw badOption(`the web files' directory ${path} is not a directory`)
  return root
}

function* filesBelow(directory: string, root: string, seen = { entries: 0 }): Generator<string> {
  for (const name of readable(directory, () => readdirSync(directory)).sort()) {
    if (name.startsWith('.')) continue
    if (++seen.entries > 2 * MAX_FILES) throw tooMany(root) // directories alone could be many, or turn in a circle
    const path = join(directory, name)
    const real = readable(path, () => realpathSync(path))
    if (!real.startsWith(root + sep) && real !== root)
      throw badOption(`the web file ${path} is a link to ${real}, outside ${root}: copy it there instead`)
    const found = statSync(real)
    if (found.isDirectory()) yield* filesBelow(path, root, seen)
    else if (found.isFile()) yield path
  }
}

function tooMany(root: string): Error {
  return badOption(`there are more than ${MAX_FILES} web files in ${root}: they are kept in memory, so give fewer`)
}

/** What `read` gives, or a sentence that says why the path cannot be read. */
function readable<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    throw badOption(`the web files: ${path} cannot be read (${code ?? String(error)})`, { path })
  }
}
