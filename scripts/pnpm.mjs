// Runs the pnpm that package.json's "packageManager" names, from wherever it can be had: the one that is installed, or
// npx's. Usable by hand, for whoever has no pnpm: node scripts/pnpm.mjs install
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The pinned version, for instance "10.1.2". Its only home is package.json. */
export function pinnedPnpm() {
  const { packageManager } = JSON.parse(readFileSync(root + 'package.json', 'utf8'))
  return /^pnpm@([^+]+)/.exec(packageManager)[1]
}

/**
 * Runs pnpm in the repository's root, its output on our own; returns the exit code. Nothing is asked: standard input
 * is closed. Without a network npm and pnpm would retry for minutes; here they give up after some seconds.
 */
export function runPnpm(args) {
  const version = pinnedPnpm()
  const env = {
    npm_config_fetch_retry_mintimeout: '1000',
    npm_config_fetch_retry_maxtimeout: '5000',
    npm_config_update_notifier: 'false',
    COREPACK_ENABLE_DOWNLOAD_PROMPT: '0',
    ...process.env,
  }
  const installed = spawnSync('pnpm', ['--version'], { cwd: root, env, stdio: ['ignore', 'pipe', 'ignore'] })
  const [command, ...first] =
    installed.status === 0 && installed.stdout.toString().trim() === version
      ? ['pnpm']
      : ['npx', '--yes', `pnpm@${version}`]
  const run = spawnSync(command, [...first, ...args], { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] })
  return run.status ?? 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = runPnpm(process.argv.slice(2))
}
