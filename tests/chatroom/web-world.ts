/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The chatroom's page as its users have it, in a real browser. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { until } from '../support/cluster.js'

/** How long anything that is to be seen in a page may take (ms). */
const PATIENCE = 15_000

export const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }
export const DESKTOP = { viewport: { width: 1280, height: 800 } }

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
