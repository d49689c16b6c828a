// All that must hold before a change is taken: it compiles, the linter and the formatter have nothing to say, and the
// tests pass. The last line is "N passed, N failed"; a step that is no test counts as one failure when it fails.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { runTests } from './test.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Runs a program to its end, and resolves to { passed: 0, failed: 0 or 1 }. */
async function step(name, script, ...args) {
  const started = performance.now()
  const child = spawn(process.execPath, [script, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => output.push(data))
  const status = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  // At its end and in one piece: tests run beside it.
  process.stdout.write(Buffer.concat(output))
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name}, ${((performance.now() - started) / 1000).toFixed(1)} s`)
  return { passed: 0, failed: status === 0 ? 0 : 1 }
}

const eslint = () => step('eslint', 'node_modules/eslint/bin/eslint.js', '.')
const prettier = () => step('prettier', 'node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.')

const total = await step('build and typecheck', 'scripts/build.mjs', 'tests')
// What does not compile is not tested: the tests would run against an older state.
if (total.failed === 0) Object.assign(total, await runTests(process.argv.slice(2), [eslint, prettier]))
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed === 0 ? 0 : 1
