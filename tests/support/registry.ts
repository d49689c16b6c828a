/** The packages as they would be published: packed, and handed out by a registry of their own, on this machine only. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'
import type { Owner } from './cluster.js'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../../', import.meta.url))

const Manifest = z.looseObject({ name: z.string(), version: z.string() })

interface Packed {
  readonly manifest: z.output<typeof Manifest>
  readonly tarball: Buffer
}

/** Packs all packages of the workspace into a directory. */
async function packAll(directory: string): Promise<Packed[]> {
  mkdirSync(directory)
  const pack = ['-r', '--filter', './packages/*', 'pack', '--pack-destination', directory]
  await run(process.execPath, [join(root, 'scripts/pnpm.mjs'), ...pack], { cwd: root })
  return Promise.all(
    readdirSync(directory).map(async (file) => {
      const { stdout } = await run('tar', ['-xzOf', join(directory, file), 'package/package.json'])
      return { manifest: Manifest.parse(JSON.parse(stdout)), tarball: readFileSync(join(directory, file)) }
    }),
  )
}

/**
 * The environment in which npm finds the packages of `@synod` here, and all others where it finds them otherwise.
 *
 * @param directory where they are packed; made here
 */
export async function packedRegistry(owner: Owner, directory: string): Promise<Record<string, string>> {
  const packed = await packAll(directory)
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    const name = decodeURIComponent(pathname.slice(1))
    const found = packed.find(({ manifest }) => manifest.name === name || `${manifest.name}.tgz` === name)
    if (found === undefined) response.writeHead(404).end()
    else if (name.endsWith('.tgz')) response.end(found.tarball)
    else response.end(JSON.stringify(packument(found, `http://${request.headers.host ?? ''}`)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  owner.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { 'npm_config_@synod:registry': `http://127.0.0.1:${port}/` }
}

/** What a registry says of a package of which it has one version. */
function packument({ manifest, tarball }: Packed, registry: string): object {
  const { name, version } = manifest
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
  const published = { ...manifest, dist: { tarball: `${registry}/${name}.tgz`, integrity } }
  return { name, 'dist-tags': { latest: version }, versions: { [version]: published } }
}
