/** The house's rules, held against the whole repository; and the rules' own test, on small wrong samples. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { breaches, type Source } from './rules.js'

const root = repositoryRoot(dirname(fileURLToPath(import.meta.url)))

function repositoryRoot(from: string): string {
  return existsSync(join(from, 'pnpm-workspace.yaml')) ? from : repositoryRoot(dirname(from))
}

function sourcesIn(folder: string): Source[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|tsx|mjs)$/.test(name) && !/(^|\/)(\.out|node_modules)\//.test(name))
    .map((name) => `${folder}/${name}`)
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

t.test('the repository keeps its own rules', (t) => {
  const packages = readdirSync(join(root, 'packages')).filter((name) => existsSync(join(root, 'packages', name, 'src')))
  const sources = [...packages.map((name) => `packages/${name}/src`), 'tests', 'scripts'].flatMap(sourcesIn)
  for (const seen of ['packages/paxos/src/protocol/paxos.ts', 'tests/architecture/rules.ts', 'scripts/setup.mjs']) {
    t.ok(
      sources.some(({ path }) => path === seen),
      `${seen} is among what is checked`,
    )
  }
  t.strictSame(breaches(sources), [])
  t.end()
})

/** [what is wrong, path under packages/ (or from the root, if it starts with a slash), text, part of the sentence] */
const wrong: readonly (readonly [string, string, string, string])[] = [
  ['protocol imports Node', 'paxos/src/protocol/x.ts', `import { readFileSync } from 'node:fs'`, 'nothing outside'],
  ['protocol imports a package', 'paxos/src/protocol/x.ts', `import type { z } from 'zod'`, 'nothing outside'],
  ['protocol imports storage', 'paxos/src/protocol/x.ts', `import '../storage/storage.js'`, 'nothing outside'],
  ['protocol imports the clock', 'paxos/src/protocol/x.ts', `import '../clock.js'`, 'knows no time'],
  [
    'protocol hides an import in a type',
    'paxos/src/protocol/x.ts',
    `type A = import('zod').ZodType`,
    'nothing outside',
  ],
  ['protocol re-exports', 'paxos/src/protocol/x.ts', `export * from '../client/client.js'`, 'nothing outside'],
  ['protocol imports lazily', 'paxos/src/protocol/x.ts', `const a = () => import('node:os')`, 'nothing outside'],
  ['an import is computed', 'paxos/src/storage/x.ts', `void import(name)`, 'cannot be checked'],
  ['a role imports another', 'paxos/src/protocol/leader.ts', `import { Scout } from './scout.js'`, 'knows the roles'],
  ['a helper imports a role', 'paxos/src/protocol/run.ts', `import type { P } from './acceptor.js'`, 'knows the roles'],
  ['a server imports a role', 'paxos/src/server/x.ts', `import '../protocol/replica.js'`, 'knows the roles'],
  ['storage imports transport', 'paxos/src/storage/x.ts', `import '../transport/wire.js'`, 'only protocol'],
  ['transport imports the server', 'paxos/src/transport/x.ts', `import '../server/server.js'`, 'only protocol'],
  ['service imports the clock', 'paxos/src/service/x.ts', `import '../clock.js'`, 'knows no time'],
  ['service imports the client', 'paxos/src/service/x.ts', `import '../client/client.js'`, 'only protocol'],
  [
    'client imports storage',
    'paxos/src/client/x.ts',
    `import '../storage/disk.js'`,
    'only protocol, transport, service',
  ],
  ['client imports the server', 'paxos/src/client/x.ts', `import '../server/server.js'`, 'only protocol, transport'],
  ['server imports the client', 'paxos/src/server/x.ts', `import '../client/client.js'`, 'only protocol, storage'],
  ['a folder imports index.ts', 'paxos/src/server/x.ts', `import '../index.js'`, 'outside the package'],
  ['a browser imports Node', 'paxos/src/browser/x.ts', `import { Buffer } from 'node:buffer'`, 'nothing of Node'],
  ['a page imports Node', 'chatroom/src/web/x.ts', `import 'node:fs'`, 'nothing of Node'],
  ['a browser imports the server', 'paxos/src/browser/x.ts', `import '../server/server.js'`, 'only protocol'],
  ['the client imports the browser', 'paxos/src/client/x.ts', `import '../browser/clock.js'`, 'only protocol'],
  ['a new folder has no rule', 'paxos/src/magic/x.ts', `import '../protocol/ballot.js'`, 'no rule here yet'],
  ['paxos imports kvstore', 'paxos/src/server/x.ts', `import '@synod/kvstore'`, 'no other package'],
  ['kvstore goes inside', 'kvstore/src/x.ts', `import '@synod/paxos/internal/client/client'`, 'only public APIs'],
  ['chatroom imports kvstore', 'chatroom/src/x.ts', `import '@synod/kvstore'`, 'only public APIs'],
  ['terminal goes inside', 'terminal/src/x.ts', `import '@synod/paxos/internal/clock'`, 'only public APIs'],
  ['terminal imports a service', 'terminal/src/x.ts', `import '@synod/chatroom'`, 'only public APIs'],
  ['harness goes inside kvstore', 'harness/src/x.ts', `import '@synod/kvstore/internal/state'`, 'only public APIs'],
  ['kvstore climbs out', 'kvstore/src/x.ts', `import '../../paxos/src/index.js'`, 'by its name'],
  ['a package imports tests', 'harness/src/x.ts', `import '../../../tests/a/b.js'`, 'nothing but a test'],
  ['a script imports tests', '/scripts/x.mjs', `import '../tests/.out/a.js'`, 'nothing but a test'],
  ['protocol tells the time', 'paxos/src/protocol/x.ts', `const now = Date.now()`, 'uses Date'],
  ['protocol makes a date', 'paxos/src/protocol/x.ts', `const now = new Date()`, 'uses Date'],
  ['protocol throws dice', 'paxos/src/protocol/x.ts', `const a = Math.random()`, 'uses Math.random'],
  ['protocol hides its dice', 'paxos/src/protocol/x.ts', `const { random } = Math`, 'uses Math.random'],
  ['protocol waits', 'paxos/src/protocol/x.ts', `setTimeout(() => {}, 1)`, 'uses setTimeout'],
  ['protocol measures', 'paxos/src/protocol/x.ts', `const a = performance.now()`, 'uses performance'],
  ['protocol prints', 'paxos/src/protocol/x.ts', `console.log(1)`, 'uses console'],
  ['protocol reads the environment', 'paxos/src/protocol/x.ts', `const a = process.env`, 'uses process'],
  ['protocol sorts by language', 'paxos/src/protocol/x.ts', `const a = b.localeCompare(c)`, 'uses localeCompare'],
  ['protocol awaits', 'paxos/src/protocol/x.ts', `export const f = async (p: object) => await p`, 'uses await'],
  ['a class is the default', 'kvstore/src/x.ts', `export default class A {}`, 'by name'],
  ['a value is the default', 'kvstore/src/x.ts', `export default 1`, 'by name'],
  ['a name becomes the default', 'kvstore/src/x.ts', `const a = 1\nexport { a as default }`, 'by name'],
  ['any as a parameter', '/tests/x.test.ts', `export const f = (a: any) => a`, 'says "any"'],
  ['any inside a type', 'paxos/src/server/x.ts', `export type A = Map<string, any[]>`, 'says "any"'],
  ['a file is too long', 'paxos/src/server/x.ts', '//\n'.repeat(400), 'has 400 lines'],
]

for (const [what, path, text, sentence] of wrong) {
  t.test(`a breach is seen: ${what}`, (t) => {
    const fullPath = path.startsWith('/') ? path.slice(1) : `packages/${path}`
    const found = breaches([{ path: fullPath, text }])
    t.equal(found.length, 1)
    t.match(found[0], sentence)
    t.match(found[0], `${fullPath}:`)
    t.end()
  })
}

const right: readonly (readonly [string, string])[] = [
  [
    'packages/paxos/src/protocol/paxos.ts',
    `import { Leader } from './leader.js'\nimport { assert } from './assert.js'`,
  ],
  ['packages/paxos/src/protocol/leader.ts', `import type { Ballot } from './ballot.js'\nconst a = Math.max(1, 2)`],
  ['packages/paxos/src/protocol/x.ts', `export const f = (o: { process: number }) => o.process // Date.now()`],
  ['packages/paxos/src/storage/x.ts', `import '../protocol/error.js'\nimport '../clock.js'\nimport 'node:fs'`],
  ['packages/paxos/src/client/x.ts', `import '../transport/wire.js'\nimport '../service/service.js'\nimport 'ws'`],
  ['packages/paxos/src/server/x.ts', `import '../storage/disk.js'\nimport '../transport/wire.js'\nDate.now()`],
  ['packages/paxos/src/browser/x.ts', `import '../clock.js'\nimport '../client/client.js'\nimport 'buffer/'`],
  ['packages/paxos/src/index.ts', `export { a } from './client/client.js'\nexport { b } from './server/server.js'`],
  ['packages/kvstore/src/x.ts', `import { serve } from '@synod/paxos'\nimport './state.js'`],
  ['packages/chatroom/src/x.ts', `import { word } from '@synod/terminal'`],
  ['packages/harness/src/x.ts', `import '@synod/paxos/internal/protocol/paxos'\nimport '@synod/kvstore'`],
  ['tests/x.test.ts', `import t from 'tap'\nimport './other.js'\nimport '@synod/paxos/internal/storage/disk'`],
  ['packages/paxos/src/server/x.ts', `const many = 'any'\n`.repeat(399)],
]

t.test('what is allowed is not reported', (t) => {
  for (const [path, text] of right) t.strictSame(breaches([{ path, text }]), [], path)
  t.end()
})
