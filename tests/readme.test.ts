/** What the README shows is what happens: its service is compiled and run, its commands are typed in. */
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { COMMANDS, freePorts, ProcessCluster } from '@synod/harness/internal/process'
import t from 'tap'
import ts from 'typescript'

t.setTimeout(120_000)

const run = promisify(execFile)
const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')

/** The text of the one block of this language that begins so. */
function block(language: string, beginning: string): string {
  const blocks = readme
    .split('```' + language + '\n')
    .slice(1)
    .map((rest) => rest.split('```')[0] ?? '')
  const found = blocks.filter((text) => text.startsWith(beginning))
  if (found.length !== 1)
    throw new Error(`the README has ${found.length} ${language} blocks that begin with "${beginning}"`)
  return found[0] ?? ''
}

/** A directory from which the packages are found. */
function scratch(owner: { teardown(work: () => void): void }, name: string): string {
  const directory = join(root, 'tests/.out', `readme-${name}-${process.pid}`)
  mkdirSync(directory, { recursive: true })
  owner.teardown(() => {
    rmSync(directory, { recursive: true, force: true })
  })
  return directory
}

t.test(
  "the README's service compiles under strict, is shorter than 30 lines, counts, and finds its value again",
  async (t) => {
    const source = block('ts', 'import { connect')
    t.ok(source.trimEnd().split('\n').length < 30, 'under 30 lines')
    const directory = scratch(t, 'service')
    const [port = 0] = await freePorts(1)
    writeFileSync(join(directory, 'counter.ts'), source.replace('10000', String(port)))
    const program = ts.createProgram([join(directory, 'counter.ts')], {
      strict: true,
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      skipLibCheck: true,
      types: ['node'],
      outDir: directory,
    })
    const problems = [...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics]
    t.strictSame(
      problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
      [],
    )
    for (const expected of ['2\n5\n', '7\n10\n']) {
      const { stdout } = await run(process.execPath, ['counter.js'], { cwd: directory, timeout: 30_000 })
      t.equal(stdout, expected)
    }
  },
)

t.test("the README's commands print what it says", async (t) => {
  const directory = scratch(t, 'commands')
  const cluster = await ProcessCluster.start({ directory, count: 3 })
  t.teardown(() => cluster.stop('SIGKILL'))
  const script = block('console', '$ npx kvstore-client')
  for (const part of script.split('$ ').slice(1)) {
    const [line = '', ...expected] = part.split('\n')
    const [npx, command, ...args] = line
      .replace('127.0.0.1:10000,127.0.0.1:10001,127.0.0.1:10002', cluster.addresses.join())
      .split(' ')
    t.strictSame([npx, command], ['npx', 'kvstore-client'])
    const { stdout } = await run(process.execPath, [join(COMMANDS, 'kvstore-client.js'), ...args])
    t.equal(stdout, expected.join('\n'), line)
  }
})
