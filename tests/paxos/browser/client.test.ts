/** The client in a real browser: a page that a bundler made of the package's browser build, from the server's own web directory. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { serve } from '@synod/paxos'
import { build } from 'esbuild'
import t from 'tap'
import { startBrowser } from '../../support/browser.js'
import { freePorts } from '../../support/cluster.js'
import { echo } from './echo.js'

const BROWSER_BUILD = fileURLToPath(new URL('browser/index.js', import.meta.resolve('@synod/paxos')))

t.test('a page submits, subscribes, asks and fails as a program in Node does', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'synod-browser-'))
  const web = join(directory, 'web')
  mkdirSync(web)
  const { metafile } = await build({
    entryPoints: [fileURLToPath(new URL('page.js', import.meta.url))],
    outfile: join(web, 'page.js'),
    bundle: true,
    format: 'esm',
    metafile: true,
    logLevel: 'silent',
  })
  const used = Object.keys(metafile.inputs).filter((path) => path.includes('packages/paxos/'))
  t.match(used, [/paxos\/dist\/browser\/index\.js$/], 'bundlers find the browser build, and it only')
  t.equal(used.length, 1)
  writeFileSync(
    join(web, 'index.html'),
    '<!doctype html><title>echo</title><script type="module" src="page.js"></script>',
  )

  const [port = 0, foreign = 0] = await freePorts(2)
  const server = await serve(echo, { id: 0, count: 1, port, web, dataDir: join(directory, 'data') })
  t.teardown(async () => {
    await server.close()
    rmSync(directory, { recursive: true, force: true })
  })
  const browser = await startBrowser(t)
  const page = await browser.newPage()
  await page.goto(`http://${server.address}/`)
  await page.waitForFunction('typeof run === "function"')
  t.strictSame(await page.evaluate(`run('${server.address}', '127.0.0.1:${foreign}')`), {
    otherAnswers: [],
    otherEvents: [],
    dumped: true,
    role: 'leader',
    verified: true,
    refused: 'Refusal NO {"value":"no"}',
    unsendable: 'ClientError BAD_OPERATION false',
    closed: 'ClientError CLOSED false',
    unreachable: 'ClientError UNAVAILABLE false',
    badOption: 'SynodError BAD_OPTION',
    heard: ['connected'],
  })
})

t.test('the browser build is whole: it imports nothing, and makes no code of text by itself', (t) => {
  const code = readFileSync(BROWSER_BUILD, 'utf8')
  t.notMatch(code, /\bimport\s*[({"']|\brequire\(/)
  t.notMatch(code, /\beval\(/)
  t.match(code, /export\s*\{/)
  t.end()
})
