/** Real chatroom servers, as processes, that end with the test: their data is in a directory that is removed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connectChatroom, type ChatClient } from '@synod/chatroom'
import { freePorts, type Owner, until } from '../support/cluster.js'

/** The directory of the commands `chatroom-server.js` and `chatroom-client.js`. */
export const COMMANDS = fileURLToPath(new URL('../bin/', import.meta.resolve('@synod/chatroom')))

export class ChatServers {
  readonly #children: ChildProcess[] = []
  readonly #directory = mkdtempSync(join(tmpdir(), 'synod-chatroom-'))

  private constructor(readonly addresses: readonly string[]) {}

  /** Starts three servers, and waits until they serve. */
  static async start(owner: Owner): Promise<ChatServers> {
    const servers = new ChatServers((await freePorts(3)).map((port) => `127.0.0.1:${port}`))
    owner.teardown(async () => {
      for (const id of servers.addresses.keys()) await servers.kill(id)
      rmSync(servers.#directory, { recursive: true, force: true })
    })
    for (const id of servers.addresses.keys()) servers.startServer(id)
    await servers.client(owner).rooms()
    return servers
  }

  /** A client of all servers, closed with the test. */
  client(owner: Owner): ChatClient {
    const client = connectChatroom({ servers: this.addresses, timeout: 30_000 })
    owner.teardown(() => client.close())
    return client
  }

  /** Their addresses, this one's first, as `--servers` wants them. */
  from(id: number): string {
    return [...this.addresses.slice(id), ...this.addresses.slice(0, id)].join(',')
  }

  startServer(id: number): void {
    const place = ['--id', `${id}`, '--peers', this.addresses.join(','), '--data-dir', join(this.#directory, `${id}`)]
    this.#children[id] = spawn(process.execPath, [join(COMMANDS, 'chatroom-server.js'), ...place], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  }

  /** Starts a server again, and waits until it serves its page. */
  async restart(id: number): Promise<void> {
    this.startServer(id)
    const isUp = async (): Promise<boolean> => (await fetch(this.url(id)).catch(() => null))?.ok === true
    await until(`server ${id} serves its page`, isUp)
  }

  signal(id: number, signal: NodeJS.Signals): void {
    this.#children[id]?.kill(signal)
  }

  /** Kills it, and waits until it is gone. */
  async kill(id: number): Promise<void> {
    const child = this.#children[id]
    if (child?.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  /** Where a server's page is, or a room of it. */
  url(id: number, room = ''): string {
    return `http://${this.addresses[id] ?? ''}/${room === '' ? '' : `#${encodeURIComponent(room)}`}`
  }
}
