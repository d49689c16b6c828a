/** The packages as a stranger gets them: packed, installed into an empty directory by npm, compiled against, and run. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePorts } from '@synod/harness/internal/process'
import t from 'tap'
import { z } from 'zod'

const root = repositoryRoot(dirname(fileURLToPath(import.meta.url)))
const work = mkdtempSync(join(tmpdir(), 'synod-pack-'))
t.teardown(() => {
  rmSync(work, { recursive: true, force: true })
})

function repositoryRoot(from: string): string {
  return existsSync(join(from, 'pnpm-workspace.yaml')) ? from : repositoryRoot(dirname(from))
}

/** Runs a program to its end, and returns what it printed; what it complained of is in the error if it fails. */
function run(cwd: string, command: string, ...args: string[]): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

function pack(name: string): string {
  const destination = join(work, 'packed', name)
  mkdirSync(destination, { recursive: true })
  const folder = join(root, 'packages', name)
  run(root, process.execPath, 'scripts/pnpm.mjs', '--dir', folder, 'pack', '--pack-destination', destination)
  const [file] = readdirSync(destination)
  if (file === undefined) throw new Error(`pnpm pack left nothing for ${name}`)
  return join(destination, file)
}

const Manifest = z.object({ name: z.string(), dependencies: z.record(z.string(), z.string()) })

const packed = new Map<string, string>()
for (const name of ['paxos', 'terminal', 'kvstore', 'chatroom']) {
  t.test(`the package of ${name} holds what it needs, and nothing of the workspace`, (t) => {
    const file = pack(name)
    packed.set(name, file)
    const files = run(work, 'tar', '-tzf', file).trim().split('\n')
    for (const needed of ['LICENSE', 'package.json', 'dist/index.js', 'dist/index.d.ts', 'src/index.ts']) {
      t.ok(files.includes(`package/${needed}`), `${needed} is packed`)
    }
    t.strictSame(
      files.filter((file) => /tsbuildinfo$|tsconfig|\.test\.|node_modules|\.paxos$/.test(file)),
      [],
    )
    const manifest = Manifest.parse(JSON.parse(run(work, 'tar', '-xzOf', file, 'package/package.json')))
    t.equal(manifest.name, `@synod/${name}`)
    const unpublished = Object.entries(manifest.dependencies).filter(([, range]) =>
      /^(workspace|file|link):/.test(range),
    )
    t.strictSame(unpublished, [])
    t.end()
  })
}

const app = join(work, 'app')

t.test('npm installs the packages into an empty directory', (t) => {
  const { dependencies } = Manifest.parse(JSON.parse(readFileSync(join(root, 'packages/paxos/package.json'), 'utf8')))
  mkdirSync(app)
  const manifest = {
    name: 'app',
    private: true,
    type: 'module',
    dependencies: {
      ...Object.fromEntries([...packed].map(([name, file]) => [`@synod/${name}`, `file:${file}`])),
      zod: dependencies['zod'],
    },
  }
  writeFileSync(join(app, 'package.json'), JSON.stringify(manifest))
  run(app, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error')
  t.ok(existsSync(join(app, 'node_modules/@synod/paxos/dist/index.js')))
  t.end()
})

const program = `
import { ClientError, connect, defineService, Refusal, serve, SynodError, type Command, type State } from '@synod/paxos'
import { z } from 'zod'

const Add = z.object({ by: z.number().int() })
type Add = z.output<typeof Add>

class Counter implements State<Add, number> {
  #value = 0
  execute(_slot: number, { op }: Command<Add>): number {
    if (op.by < 0) throw new Refusal('NEGATIVE', 'a counter only grows')
    return (this.#value += op.by)
  }
  *snapshot(): Generator<number> {
    yield this.#value
  }
  restore(entries: Iterable<unknown>): void {
    for (const entry of entries) this.#value = z.number().parse(entry)
  }
}

const counter = defineService({ name: 'counter', op: Add, state: () => new Counter() })
const server = await serve(counter, { id: 0, count: 1, port: Number(process.argv[2]), dataDir: 'data' })
const client = connect(counter, { servers: [server.address] })
const value: number = await client.submit({ by: 2 })
// @ts-expect-error: an operation has the type that its schema says
const wrong = await client.submit({ by: 'two' }).catch((error: ClientError) => error.code)
const refused = await client.submit({ by: -1 }).catch((error: Refusal) => error.code)
await client.close()
await server.close()
let code = ''
try {
  defineService({ ...counter, name: 'No Name' })
} catch (error) {
  if (error instanceof SynodError) code = error.code
}
console.log(counter.name, value, wrong, refused, code)
`

t.test('a service in strict TypeScript compiles against the installed types, and runs', async (t) => {
  writeFileSync(join(app, 'main.ts'), program)
  const compilerOptions = {
    target: 'es2022',
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false, // the packages' own declarations are to be whole, too
    typeRoots: [join(root, 'node_modules/@types')],
    types: ['node'],
  }
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts'] }))
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
  t.equal(run(app, process.execPath, tsc, '-p', '.'), '')
  const [port = 0] = await freePorts(1)
  t.equal(run(app, process.execPath, 'main.js', String(port)).trim(), 'counter 2 BAD_OPERATION NEGATIVE BAD_SERVICE')
})

t.test('what is not public cannot be imported by its path', (t) => {
  const source = `import('@synod/paxos/dist/protocol/paxos.js').catch((error) => console.log(error.code))`
  t.equal(run(app, process.execPath, '-e', source).trim(), 'ERR_PACKAGE_PATH_NOT_EXPORTED')
  t.end()
})

for (const command of ['kvstore-server', 'kvstore-client', 'chatroom-server', 'chatroom-client', 'synod-log']) {
  t.test(`npx ${command} --help works from there`, (t) => {
    t.match(run(app, 'npx', '--no-install', command, '--help'), `Usage: ${command}`)
    t.end()
  })
}
