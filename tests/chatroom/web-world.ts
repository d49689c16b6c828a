/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The chatroom's page as its users have it: three real servers, and a real browser's pages. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connectChatroom } from '@synod/chatroom'
import type { ChatClient } from '@synod/chatroom'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { freePorts, until } from '../support/cluster.js'
import type { Owner } from '../support/cluster.js'

const COMMAND = fileURLToPath(new URL('../bin/chatroom-server.js', import.meta.resolve('@synod/chatroom')))

/** How long anything that is to be seen in a page may take (ms). */
const PATIENCE = 15_000

export const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }
export const DESKTOP = { viewport: { width: 1280, height: 800 } }

/** Three chatroom servers; they end with the test. */
export class ChatServers {
  readonly #children: ChildProcess[] = []
  readonly #directory = mkdtempSync(join(tmpdir(), 'synod-web-'))

  private constructor(readonly addresses: readonly string[]) {}

  static async start(owner: Owner): Promise<ChatServers> {
    const servers = new ChatServers((await freePorts(3)).map((port) => `127.0.0.1:${port}`))
    owner.teardown(async () => {
      for (const id of servers.addresses.keys()) await servers.kill(id)
      rmSync(servers.#directory, { recursive: true, force: true })
    })
    for (const id of servers.addresses.keys()) servers.startServer(id)
    // They take in commands, and so have a page to serve.
    const client = servers.client(owner)
    await client.rooms()
    return servers
  }

  /** A client of all servers, for what the test itself has to say; closed with the test. */
  client(owner: Owner): ChatClient {
    const client = connectChatroom({ servers: this.addresses, timeout: 30_000 })
    owner.teardown(() => client.close())
    return client
  }

  startServer(id: number): void {
    const place = ['--id', `${id}`, '--peers', this.addresses.join(','), '--data-dir', join(this.#directory, `${id}`)]
    this.#children[id] = spawn(process.execPath, [COMMAND, ...place], { stdio: ['ignore', 'ignore', 'inherit'] })
  }

  /** Starts a server again, and waits until it serves its page. */
  async restart(id: number): Promise<void> {
    this.startServer(id)
    const isUp = async (): Promise<boolean> => (await fetch(this.url(id)).catch(() => null))?.ok === true
    await until(`server ${id} serves its page`, isUp, { patience: PATIENCE })
  }

  signal(id: number, signal: NodeJS.Signals): void {
    this.#children[id]?.kill(signal)
  }

  async kill(id: number): Promise<void> {
    const child = this.#children[id]
    if (child?.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  url(id: number, room = ''): string {
    return `http://${this.addresses[id] ?? ''}/${room === '' ? '' : `#${encodeURIComponent(room)}`}`
  }
}

/** Somebody who has the page open. */
export class Visitor {
  /** What the browser complained of. */
  readonly complaints: string[] = []

  private constructor(readonly page: Page) {
    page.setDefaultTimeout(PATIENCE)
    page.on('pageerror', (error) => this.complaints.push(String(error.stack)))
    page.on('console', (message) => {
      // That a server is gone the browser says, too.
      if (message.type() === 'error' && !message.text().includes('WebSocket')) this.complaints.push(message.text())
    })
  }

  /** Opens the page and chooses a name, if one is given. */
  static async open(
    browser: Browser,
    url: string,
    name: string,
    options: BrowserContextOptions = DESKTOP,
  ): Promise<Visitor> {
    const context = await browser.newContext({ reducedMotion: 'reduce', locale: 'en-GB', ...options })
    const visitor = new Visitor(await context.newPage())
    await visitor.page.goto(url)
    await visitor.page.fill('dialog[open] input', name)
    await visitor.page.keyboard.press('Enter')
    await visitor.isIn()
    return visitor
  }

  /** The room is shown. */
  async isIn(): Promise<void> {
    const people = this.page.locator('#people-list li', { hasText: '(you)' })
    await people.waitFor({ state: 'attached' })
  }

  async say(text: string): Promise<void> {
    await this.page.fill('#text', text)
    await this.page.press('#text', 'Enter')
  }

  /** Texts of the messages that are shown, in order. */
  texts(): Promise<string[]> {
    return this.page.locator('#messages .text').allTextContents()
  }

  /** Those that are on their way. */
  unsent(): Promise<string[]> {
    return this.page.locator('#unsent .text').allTextContents()
  }

  /** The names of those who are here. */
  people(): Promise<string[]> {
    return this.page.locator('#people-list .name').allTextContents()
  }

  async where(): Promise<string> {
    return (await this.page.textContent('#where')) ?? ''
  }

  async sees(what: string, condition: () => Promise<boolean>): Promise<void> {
    await until(what, condition, { patience: PATIENCE })
  }

  async seesText(text: string): Promise<void> {
    await this.sees(`"${text.slice(0, 60)}" is among the messages`, async () => (await this.texts()).includes(text))
  }

  /** Whether nothing is wider than the window. */
  isNarrow(): Promise<boolean> {
    return this.page.evaluate(() => {
      const boxes = [document.documentElement, ...document.querySelectorAll('#scroller, #room-list, #people-list')]
      return boxes.every((box) => box.scrollWidth <= box.clientWidth)
    })
  }
}
