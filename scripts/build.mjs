// Compiles the packages, or with the argument "tests" these and the tests; only what has changed. Then makes what browsers
// load of them.
// TypeScript leaves the output of a deleted source where it is: an import of it would go on working, its test would go
// on running, and it would be packed. So such leftovers are removed first.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle } from './bundle.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Removes every compiled file in `outputs` that has no source in `sources` any more. */
export function prune(sources, outputs) {
  if (!existsSync(outputs)) return
  for (const entry of readdirSync(outputs, { withFileTypes: true })) {
    if (entry.isDirectory()) {
      prune(join(sources, entry.name), join(outputs, entry.name))
    } else {
      const [, stem] = /^(.*)\.(?:js|js\.map|d\.ts|d\.ts\.map)$/.exec(entry.name) ?? []
      const isLeft = stem !== undefined && ['.ts', '.tsx'].every((ending) => !existsSync(join(sources, stem + ending)))
      if (isLeft) rmSync(join(outputs, entry.name))
    }
  }
}

for (const name of readdirSync(root + 'packages')) prune(`${root}packages/${name}/src`, `${root}packages/${name}/dist`)
prune(`${root}tests`, `${root}tests/.out`)

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
const build = spawnSync(process.execPath, [tsc, '-b', '.', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' })
if (build.status === 0) await bundle()
process.exitCode = build.status ?? 1
