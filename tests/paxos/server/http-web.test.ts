/** A service's own static files. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import type { Test } from 'tap'
import { ask } from './http-support.js'
import { Cluster, temporaryDirectory } from './support.js'

type Files = Readonly<Record<string, string | Buffer>>

/** A directory with these files. */
function directoryOf(t: Test, files: Files): string {
  const directory = join(temporaryDirectory(t), 'web')
  mkdirSync(directory)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(directory, path, '..'), { recursive: true })
    writeFileSync(join(directory, path), content)
  }
  return directory
}

const page: Files = {
  'index.html': '<!doctype html><title>page</title>',
  'app.js': 'export {}',
  'style.css': 'p {}',
  'picture.png': Buffer.from([0x89, 0x50]),
  'data.bin': Buffer.from([1, 2, 3]),
  'manifest.webmanifest': '{}',
  'a b/ü.txt': 'text',
  'sub/index.html': 'sub',
  '.hidden': 'secret',
  '.git/config': 'secret',
}

t.test('the files are served as what they are', async (t) => {
  const cluster = await Cluster.of(t, 1)
  const [address = ''] = cluster.addresses
  const directory = directoryOf(t, page)
  const server = await cluster.start(0, { web: pathToFileURL(`${directory}/`) })
  await server.serving
  const types: readonly (readonly [string, string])[] = [
    ['/', 'text/html; charset=utf-8'],
    ['/index.html', 'text/html; charset=utf-8'],
    ['/app.js', 'text/javascript; charset=utf-8'],
    ['/app.js?v=1', 'text/javascript; charset=utf-8'],
    ['/style.css', 'text/css; charset=utf-8'],
    ['/picture.png', 'image/png'],
    ['/data.bin', 'application/octet-stream'],
    ['/manifest.webmanifest', 'application/manifest+json; charset=utf-8'],
    ['/a%20b/%C3%BC.txt', 'text/plain; charset=utf-8'],
    ['/sub/', 'text/html; charset=utf-8'],
  ]
  for (const [path, type] of types) {
    const { status, headers } = await ask(address, path)
    t.equal(status, 200, path)
    t.equal(headers['content-type'], type, path)
    t.match(headers['content-security-policy'], /default-src 'self'/)
    t.ok(headers.etag)
  }
  t.equal((await ask(address, '/')).body, page['index.html'])
  t.equal((await ask(address, '/sub')).headers.location, '/sub/', 'so that what is relative to it is found')
  for (const path of ['/.hidden', '/.git/config', '/a%20b', '/nothing', '/../web/app.js', '/sub/../app.js']) {
    t.equal((await ask(address, path)).status, 404, path)
  }
  for (const path of ['/status', '/status.json', '/healthz']) t.equal((await ask(address, path)).status, 200, path)
  writeFileSync(join(directory, 'later.txt'), 'x')
  t.equal((await ask(address, '/later.txt')).status, 404, 'what comes later is not served: no request reaches the disk')
})

t.test('a directory without an index.html has no front page', async (t) => {
  const cluster = await Cluster.of(t, 1)
  const [address = ''] = cluster.addresses
  await cluster.start(0, { web: directoryOf(t, { 'app.js': '' }) })
  t.equal((await ask(address, '/')).status, 404)
  t.equal((await ask(address, '/app.js')).body, '')
})

t.test('files that cannot be served are told at the start', async (t) => {
  const cluster = await Cluster.of(t, 1)
  const refused = async (web: string | URL, message: RegExp): Promise<void> => {
    await t.rejects(cluster.start(0, { web }), { code: 'BAD_OPTION', message })
  }
  const directory = directoryOf(t, { file: 'x', 'large/a': Buffer.alloc(9 << 20), 'large/b': Buffer.alloc(9 << 20) })
  await refused(join(directory, 'nothing'), /nothing cannot be read \(ENOENT\)$/)
  await refused(join(directory, 'file'), /is not a directory$/)
  await refused(new URL('http://example.org/'), /a path or a file URL, not http:/)
  await refused(join(directory, 'large'), /larger than 16 MiB/)
  for (const reserved of ['status', 'status.json', 'healthz', 'status/page.js']) {
    await refused(directoryOf(t, { [reserved]: '' }), new RegExp(`answers at /${reserved}, so rename`))
  }
  await refused(
    directoryOf(t, Object.fromEntries(Array.from({ length: 1_001 }, (_, i) => [`${i}`, '']))),
    /more than 1000/,
  )
  const out = directoryOf(t, { 'index.html': '' })
  symlinkSync(join(directory, 'file'), join(out, 'link'))
  await refused(out, /is a link to .*file, outside/)
  const circle = directoryOf(t, { 'index.html': '' })
  symlinkSync(circle, join(circle, 'again'))
  await refused(circle, /more than 1000|cannot be read \(ELOOP\)/)
})

t.test('a link within the directory is followed', async (t) => {
  const cluster = await Cluster.of(t, 1)
  const directory = directoryOf(t, { '.data/index.html': 'linked' })
  symlinkSync('.data/index.html', join(directory, 'index.html'))
  await cluster.start(0, { web: directory })
  t.equal((await ask(cluster.addresses[0] ?? '', '/')).body, 'linked')
})
