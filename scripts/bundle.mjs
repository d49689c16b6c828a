// Makes what browsers load: the client of @synod/paxos as one module, and the chatroom's page. Types are checked before
// this, by tsc.
import { build } from 'esbuild'
import { readdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const paxos = join(root, 'packages/paxos/src')
const chatroom = join(root, 'packages/chatroom')

/** What browsers have: as old as the oldest that is supported with security updates. */
const target = ['chrome111', 'firefox119', 'safari16.4']

/** What needs Node, and what stands in its place in a browser. */
const standIns = new Map([
  [join(paxos, 'clock.ts'), join(paxos, 'browser/clock.ts')],
  [join(paxos, 'transport/ws-dialer.ts'), join(paxos, 'browser/ws-dialer.ts')],
])

/** The client's own sources, fit for a browser, wherever they are imported from. */
const forBrowsers = {
  name: 'for browsers',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@synod\/paxos$/ }, () => ({ path: join(paxos, 'browser/index.ts') }))
    onResolve({ filter: /^node:buffer$/ }, () => ({ path: join(paxos, 'browser/buffer.ts') }))
    // Of zod's error messages only the English ones are used; the other languages are twice as large as all the rest.
    onResolve({ filter: /\/locales\/index\.js$/ }, () => ({ path: 'none', namespace: 'empty' }))
    onLoad({ filter: /.*/, namespace: 'empty' }, () => ({ contents: 'export {}' }))
    onResolve({ filter: /^\.\.?\/.*\.js$/, namespace: 'file' }, ({ path, resolveDir, importer }) => {
      const standIn = standIns.get(join(resolveDir, path.replace(/\.js$/, '.ts')))
      return standIn === undefined || importer.startsWith(join(paxos, 'browser')) ? undefined : { path: standIn }
    })
  },
}

const common = {
  bundle: true,
  format: 'esm',
  platform: 'browser',
  target,
  minify: true,
  charset: 'utf8',
  legalComments: 'linked',
  logLevel: 'warning',
  plugins: [forBrowsers],
}

/** Writes all of it; fails with what esbuild has to say. */
export async function bundle() {
  await build({
    ...common,
    entryPoints: [join(paxos, 'browser/index.ts')],
    outfile: join(root, 'packages/paxos/dist/browser/index.js'),
    sourcemap: 'linked',
  })
  const web = join(chatroom, 'dist/web')
  const { metafile } = await build({
    ...common,
    entryPoints: ['app.ts', 'app.css', 'index.html', 'icon.svg'].map((file) => join(chatroom, 'src/web', file)),
    outdir: web,
    loader: { '.html': 'copy', '.svg': 'copy' },
    metafile: true,
  })
  // All that is there is served: so nothing of an earlier build may stay.
  const made = Object.keys(metafile.outputs).map((path) => basename(path))
  for (const name of readdirSync(web)) if (!made.includes(name)) rmSync(join(web, name), { recursive: true })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle()
