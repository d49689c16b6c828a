/** What browsers need is in the packages, and TypeScript can check a page against it. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const require = createRequire(import.meta.url)
const work = mkdtempSync(join(tmpdir(), 'synod-web-pack-'))
t.teardown(() => {
  rmSync(work, { recursive: true, force: true })
})

/** A package's folder in the workspace. */
function folderOf(name: string): string {
  return dirname(dirname(fileURLToPath(import.meta.resolve(name))))
}

function run(cwd: string, ...args: string[]): string {
  return execFileSync(process.execPath, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

for (const [name, folder, needed] of [
  ['@synod/chatroom', 'dist/web', ['app.css', 'app.js', 'app.js.LEGAL.txt', 'icon.svg', 'index.html']],
  ['@synod/paxos', 'dist/browser', ['index.js', 'index.d.ts', 'index.js.LEGAL.txt']],
] as const) {
  t.test(`the package ${name} holds what browsers load`, (t) => {
    const destination = mkdtempSync(join(work, 'packed-'))
    const root = dirname(dirname(folderOf(name)))
    run(root, 'scripts/pnpm.mjs', '--dir', folderOf(name), 'pack', '--pack-destination', destination)
    const [file = ''] = readdirSync(destination)
    const packed = execFileSync('tar', ['-tzf', join(destination, file)], { encoding: 'utf8' })
      .trim()
      .split('\n')
    const there = packed.filter((path) => path.startsWith(`package/${folder}/`)).map((path) => path.split('/').at(-1))
    for (const each of needed) t.ok(there.includes(each), each)
    if (name === '@synod/chatroom')
      t.strictSame(there.sort(), [...needed].sort(), 'and all of it is served, so no more')
    t.end()
  })
}

t.test('a page in strict TypeScript, without the types of Node, compiles against the browser build', (t) => {
  const app = join(work, 'app')
  mkdirSync(join(app, 'node_modules/@synod'), { recursive: true })
  symlinkSync(folderOf('@synod/paxos'), join(app, 'node_modules/@synod/paxos'))
  symlinkSync(dirname(require.resolve('zod/package.json')), join(app, 'node_modules/zod'))
  const page = `
import { connect, FeedError, type Connectivity } from '@synod/paxos/browser'
import { z } from 'zod'

const op = z.object({ by: z.number() })
const state = () => ({ execute: (_slot: number, _command: never, emit: (event: string) => void) => (emit('grown'), 1) })
const client = connect({ name: 'counter', op, state }, {
  servers: [location.host],
  onConnection: ({ state }: Connectivity) => (document.title = state),
})
const value: number = await client.submit({ by: 2 })
// @ts-expect-error: an operation has the type that its schema says
await client.submit({ by: 'two' })
try {
  for await (const { slot, value: event } of client.subscribe({ from: 0 })) document.title = event + slot + value
} catch (error) {
  if (error instanceof FeedError) document.title = error.code
}
`
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2022', 'dom'],
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    types: [],
    noEmit: true,
  }
  writeFileSync(join(app, 'page.mts'), page)
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['page.mts'] }))
  const tsc = require.resolve('typescript/bin/tsc')
  t.equal(run(app, tsc, '-p', '.'), '')
  t.end()
})
