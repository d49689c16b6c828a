/** Real kvstore servers that end with the test: their data is in a directory that is removed. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ProcessCluster } from '@synod/harness/internal/process'

export { COMMANDS, freePorts, until } from '@synod/harness/internal/process'

/** What ends with the test; a tap test is one. */
export interface Owner {
  teardown(work: () => Promise<void> | void): void
}

interface Wanted {
  readonly count?: number
  /** More flags for every server. */
  readonly flags?: readonly string[]
}

export type Cluster = ProcessCluster

export const Cluster = {
  /** Starts the servers, three by default, and waits until they serve. */
  async start(owner: Owner, wanted: Wanted = {}): Promise<Cluster> {
    const cluster = await Cluster.prepare(owner, wanted)
    await cluster.startAll()
    return cluster
  },

  /** As `start`, but no server runs yet. */
  async prepare(owner: Owner, wanted: Wanted = {}): Promise<Cluster> {
    const directory = mkdtempSync(join(tmpdir(), 'synod-test-'))
    const cluster = await ProcessCluster.prepare({ count: 3, ...wanted, directory })
    owner.teardown(async () => {
      await cluster.stop('SIGKILL')
      rmSync(directory, { recursive: true, force: true })
    })
    return cluster
  },
}
