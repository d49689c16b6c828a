// All that must hold before a change is taken: it compiles, the linter and the formatter have nothing to say, and the
// tests pass. The last line is "N passed, N failed"; a step before the tests that fails counts as one failure.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { runTests } from './test.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
let failures = 0

function step(name, script, ...args) {
  const started = performance.now()
  const { status } = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name}, ${seconds} s`)
  if (status !== 0) failures += 1
  return status === 0
}

const compiled = step('build and typecheck', 'scripts/build.mjs', 'tests')
step('eslint', 'node_modules/eslint/bin/eslint.js', '.')
step('prettier', 'node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.')
// What does not compile is not tested: the tests would run against an older state.
const { passed, failed } = compiled ? await runTests(process.argv.slice(2)) : { passed: 0, failed: 0 }
failures += failed
console.log(`${passed} passed, ${failures} failed`)
process.exitCode = failures === 0 ? 0 : 1
