/** A real browser, without a window: Debian's Chromium, or the one that CHROMIUM names. */
import { accessSync, constants, mkdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'
import type { Owner } from './cluster.js'

/** Where the browser is; throws an Error that says how to get one. */
function executable(): string {
  const named = process.env['CHROMIUM']
  if (named !== undefined && named !== '') return named
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(directory, 'chromium')
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      continue
    }
  }
  throw new Error(
    'there is no chromium in PATH: install it (Debian: apt-get install chromium), or name one by CHROMIUM',
  )
}

/** Starts the browser; it ends with the test. */
export async function startBrowser(owner: Owner): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: executable(),
    // Its sandbox refuses to be of use to root.
    chromiumSandbox: process.getuid?.() !== 0,
    args: ['--disable-gpu', '--disable-dev-shm-usage'],
  })
  owner.teardown(() => browser.close())
  return browser
}

/** Keeps a picture of the page in the directory that SCREENSHOTS names, if it names one. */
export async function picture(page: Page, name: string): Promise<void> {
  const directory = process.env['SCREENSHOTS']
  if (directory === undefined || directory === '') return
  mkdirSync(directory, { recursive: true })
  await page.screenshot({ path: join(directory, `${name}.png`) })
}
