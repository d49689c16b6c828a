/** docs/OPERATIONS.md is true: its commands are typed in, and print what it shows; and it leaves out no code of an error. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePorts } from '@synod/harness/internal/process'
import t from 'tap'
import { isAsShown, Shell, stepsOf } from './support/guide.js'

t.setTimeout(300_000)

/** How long one command may take, ms. */
const PATIENCE = 60_000
/** How long what is written by a server in the background may take to be there, ms. */
const LATER = 30_000

const root = fileURLToPath(new URL('../../', import.meta.url))
const page = readFileSync(join(root, 'docs/OPERATIONS.md'), 'utf8')

/** The page, with ports that are free. */
async function withFreePorts(): Promise<string> {
  const shown = [...new Set(page.match(/\b1000\d\b/g))].sort()
  const ports = await freePorts(shown.length)
  return page.replace(/\b1000\d\b/g, (port) => String(ports[shown.indexOf(port)]))
}

await t.test('what the page shows is what happens', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'synod-operations-'))
  t.teardown(() => {
    rmSync(home, { recursive: true, force: true })
  })
  const commands = join(root, 'node_modules/.bin')
  const shell = new Shell(home, { ...process.env, PATH: `${commands}:${process.env['PATH'] ?? ''}` })
  t.teardown(() => shell.close())
  const steps = stepsOf(await withFreePorts())
  t.ok(steps.length > 35, 'nothing of it is overlooked')
  for (const [at, step] of steps.entries()) {
    if (step.kind === 'file') {
      writeFileSync(join(home, step.path), step.text)
      continue
    }
    const { command, output } = step
    const began = performance.now()
    let printed = await shell.run(command, PATIENCE)
    // What a server in the background writes comes when it comes.
    while (command.startsWith('cat ') && !isAsShown(printed.output, output) && performance.now() < began + LATER) {
      await sleep(50)
      printed = await shell.run(command, PATIENCE)
    }
    const name = `${command} (${Math.round(performance.now() - began)} ms)`
    if (isAsShown(printed.output, output)) t.pass(name)
    else t.equal(printed.output, `${output.join('\n')}\n`, name)
    const next = steps[at + 1]
    // Where the page asks for the exit code, or shows damage, it is not 0.
    const fails =
      (next?.kind === 'command' && next.command === 'echo $?') || /is damaged|DAMAGED/.test(output.join('\n'))
    if (fails !== (printed.code !== 0)) t.fail(`${command} ended with ${printed.code}`)
  }
})

/** All sources of the package but the log tool's, in which a sentence that is put together of several texts is one. */
function sources(): string {
  const folder = join(root, 'packages/paxos/src')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  const texts = files
    .filter((file) => !file.startsWith('log-tool'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
  return texts.join('\n').replace(/['`]\s*\+\s*['`]/g, '')
}

t.test('each code that an error of a server or a client can have is explained', (t) => {
  const codes = new Set<string>()
  for (const [, code = ''] of sources().matchAll(/\b\w+Error\(\s*'([A-Z][A-Z_]+)'/g)) codes.add(code)
  t.ok(codes.size > 40)
  t.strictSame(
    [...codes].filter((code) => !page.includes(`\`${code}\``)),
    [],
  )
  t.end()
})

t.test('each sentence that is explained is one that a server says', (t) => {
  const [, section = ''] = page.split('## What servers say when they end')
  const [told = ''] = section.split('### What clients are told')
  const cells = told.split('\n').flatMap((line) => /^\| (`.*?) \| /.exec(line)?.[1] ?? [])
  const parts = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, said = '']) => said.split('…')))
  const wanted = parts.map((part) => part.replace(/^[\s"(]+|[\s"(]+$/g, '')).filter((part) => part.length > 7)
  t.ok(wanted.length > 50)
  const all = sources()
  t.strictSame(
    wanted.filter((part) => !all.includes(part)),
    [],
  )
  t.end()
})
