// What a fresh clone needs before anything else can run: a Node that is new enough, and the dependencies. When neither
// the lock file nor a package.json has changed since the last time, this is done in a moment, and needs no network.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const stamp = root + 'node_modules/.synod-setup'

function fail(sentence) {
  console.error(`synod: ${sentence}`)
  process.exit(1)
}

function checkNode() {
  const wanted = JSON.parse(readFileSync(root + 'package.json', 'utf8')).engines.node.replace(/^>=/, '')
  const [major, minor] = wanted.split('.').map(Number)
  const [ourMajor, ourMinor] = process.versions.node.split('.').map(Number)
  if (ourMajor < major || (ourMajor === major && ourMinor < minor)) {
    fail(`this is Node ${process.versions.node}, and Synod needs Node ${wanted} or newer; install one and try again.`)
  }
}

/** Changes whenever an install could have another outcome. */
function wantedState() {
  const hash = createHash('sha256')
  const packages = readdirSync(root + 'packages')
    .sort()
    .map((name) => `packages/${name}/package.json`)
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', ...packages]) {
    if (existsSync(root + file))
      hash
        .update(file)
        .update('\0')
        .update(readFileSync(root + file))
        .update('\0')
  }
  return hash.digest('hex')
}

checkNode()
const wanted = wantedState()
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  console.log('Setting up: the dependencies are installed once.')
  rmSync(stamp, { force: true })
  const { pinnedPnpm, runPnpm } = await import('./pnpm.mjs')
  // The modules may be another pnpm's or a half-finished install's: then they are replaced, without a question.
  if (runPnpm(['install', '--frozen-lockfile', '--config.confirmModulesPurge=false', '--reporter=append-only']) !== 0) {
    fail(
      `the dependencies could not be installed by pnpm ${pinnedPnpm()} (its messages are above); ` +
        'the first run needs npm and a network that reaches the npm registry.',
    )
  }
  writeFileSync(stamp, wanted)
}
