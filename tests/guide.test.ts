/** docs/CUSTOM-SERVICE.md is true: its files are written, its commands are typed in, and print what it shows. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePorts } from '@synod/harness/internal/process'
import t from 'tap'
import { isAsShown, Shell, stepsOf } from './support/guide.js'
import { packedRegistry } from './support/registry.js'

t.setTimeout(300_000)

/** How long one command may take, ms. */
const PATIENCE = 90_000
/** How long what is written by a job in the background may take to be there, ms. */
const LATER = 10_000

const page = readFileSync(fileURLToPath(new URL('../../docs/CUSTOM-SERVICE.md', import.meta.url)), 'utf8')

/** The first of three ports in a row that are free. */
async function threePorts(): Promise<number> {
  for (;;) {
    const [first = 0] = await freePorts(1)
    const servers = await Promise.all([first, first + 1, first + 2].map(listen))
    for (const server of servers) server?.close()
    if (servers.every((server) => server !== null)) return first
  }
}

function listen(port: number): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(null))
    if (port > 65_535) resolve(null)
    else server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

t.test('a page is read as it is meant', (t) => {
  const steps = stepsOf(
    'Write\n\n`a/b.ts`\n\n```ts\nlet x\n```\n\nand\n\n```console\n$ cat x | sort\none\n…\n$ true\n```\n',
  )
  t.strictSame(steps, [
    { kind: 'file', path: 'a/b.ts', text: 'let x\n' },
    { kind: 'command', command: 'cat x | sort', output: ['one', '…'] },
    { kind: 'command', command: 'true', output: [] },
  ])
  t.throws(() => stepsOf('Look:\n\n```ts\nlet x\n```\n'), /without a file name/)
  t.throws(() => stepsOf('\n```console\nnot typed\n$ true\n```\n'), /before the first command/)
  t.ok(isAsShown('a.b\nc\nd\nthe end\n', ['a.b', '…', 'the …']))
  t.ok(isAsShown('', []))
  t.notOk(isAsShown('axb\n', ['a.b']))
  t.notOk(isAsShown('a\nb\n', ['a']), 'a line more')
  t.notOk(isAsShown('a\n', ['a', 'b']), 'a line less')
  t.end()
})

await t.test('the guide works as it stands, in an empty directory, with the packages as they are packed', async (t) => {
  const work = mkdtempSync(join(tmpdir(), 'synod-guide-'))
  t.teardown(() => rmSync(work, { recursive: true, force: true }))
  const registry = await packedRegistry(t, join(work, 'packed'))
  const first = await threePorts()
  const real = page.replace(/\b1000([012])\b/g, (_, server: string) => String(first + Number(server)))
  const home = join(work, 'home')
  mkdirSync(home)
  const shell = new Shell(home, {
    ...process.env,
    ...registry,
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_loglevel: 'error',
    npm_config_prefer_offline: 'true',
    npm_config_update_notifier: 'false',
  })
  t.teardown(() => shell.close())
  const steps = stepsOf(real)
  t.ok(steps.length > 40, 'nothing of it is overlooked')
  for (const [at, step] of steps.entries()) {
    if (step.kind === 'file') {
      const path = join(home, 'bank', step.path)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, step.text)
      continue
    }
    const { command, output } = step
    const began = performance.now()
    let printed = await shell.run(command, PATIENCE)
    // What a server or a watcher in the background writes comes when it comes.
    while (command.startsWith('cat ') && !isAsShown(printed.output, output) && performance.now() < began + LATER) {
      await sleep(50)
      printed = await shell.run(command, PATIENCE)
    }
    const name = `${command} (${Math.round(performance.now() - began)} ms)`
    if (isAsShown(printed.output, output)) t.pass(name)
    else t.equal(printed.output, `${output.join('\n')}\n`, name)
    const next = steps[at + 1]
    // The page asks for the exit code of what is to fail.
    const isAsked = next?.kind === 'command' && next.command === 'echo $?'
    if (!isAsked && !t.equal(printed.code, 0, `${command} ends with 0`)) t.comment(printed.output)
  }
})
