/** The status page of real kvstore servers, in a real browser. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { kvstore } from '@synod/kvstore'
import { connect } from '@synod/paxos'
import type { Page } from 'playwright-core'
import t from 'tap'
import { picture, startBrowser } from '../../support/browser.js'
import { Cluster } from '../../support/cluster.js'
import { ask } from './http-support.js'

t.setTimeout(120_000)

/** How long the page may take to show anything that is to come (ms). */
const PATIENCE = 20_000
/** By how much (px) the page is wider than the window. */
const OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
const SIZES = { phone: { width: 360, height: 740 }, desktop: { width: 1300, height: 800 } }

/** Waits for a text in an element. */
async function shows(page: Page, selector: string, text: string | RegExp): Promise<void> {
  await page.locator(selector).filter({ hasText: text }).first().waitFor({ timeout: PATIENCE })
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe, a checker of accessibility, finds wrong. */
async function flaws(page: Page): Promise<unknown> {
  await page.evaluate(AXE)
  return page.evaluate(
    'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`))',
  )
}

const row = (id: number): string => `#servers tr:nth-child(${id + 1})`

t.test(
  'the page shows three servers, one that is killed, and a lost majority, without being loaded again',
  async (t) => {
    const cluster = await Cluster.start(t)
    const leader = await cluster.serving()
    const [viewed, victim, other] = [0, 1, 2].sort((a, b) => Number(a === leader) - Number(b === leader)) as [
      number,
      number,
      number,
    ]
    const browser = await startBrowser(t)
    const page = await browser.newPage({ viewport: SIZES.desktop, colorScheme: 'light' })
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
    })
    await page.goto(`http://${cluster.address(viewed)}/status`)
    await page.evaluate('window.stillHere = true')
    await shows(page, '#word', /^Healthy$/)
    t.equal(await page.title(), 'kvstore: healthy')
    t.equal(await page.getByRole('rowheader').count(), 3)
    await shows(page, row(leader), 'leader')
    t.equal(
      await page.locator(`${row(victim)} a`).getAttribute('href'),
      `http://${cluster.address(victim)}/status`,
      'it leads to the pages of the others',
    )
    await shows(page, '#elections', `server ${leader} leads`)

    // It goes on by itself.
    const store = connect(kvstore, { servers: [cluster.address(viewed)], discover: false })
    t.teardown(() => store.close())
    for (let i = 0; i < 50; i++) await store.submit({ type: 'set', key: `key ${i}`, value: 'value' })
    await shows(page, row(viewed), /p99 [\d.]+ ms/)
    await shows(page, '#rate', /[1-9]/)
    await page
      .locator(`${row(viewed)} .spark path[d*="L"]`)
      .first()
      .waitFor({ state: 'attached', timeout: PATIENCE })
    t.strictSame(await flaws(page), [])
    await picture(page, 'status-desktop-light')

    await cluster.kill(victim)
    await shows(page, '#word', /^Degraded$/)
    await shows(page, '#sentence', `Server ${victim} does not answer`)
    await shows(page, row(victim), 'unreachable')
    await shows(page, row(victim), 'nobody listens on')
    await page.setViewportSize(SIZES.phone)
    await page.emulateMedia({ colorScheme: 'dark' })
    t.equal(await page.getByRole('rowheader').count(), 3, 'the cards of a phone are still a table')
    t.equal(await page.evaluate(OVERFLOW), 0, 'nothing is wider than the phone')
    t.strictSame(await flaws(page), [])
    await picture(page, 'status-phone-dark')

    await cluster.kill(other)
    await shows(page, '#word', /^No majority$/)
    t.strictSame(complaints, [], 'the browser found nothing to complain of: no error, no breach of the policy')

    await cluster.kill(viewed)
    await shows(page, '#word', /^No answer$/)
    await shows(page, '#sentence', /has not answered since/)
    cluster.startServer(viewed)
    cluster.startServer(other)
    await shows(page, '#word', /^Degraded$/)
    t.equal(await page.evaluate('window.stillHere'), true, 'it was never loaded again')
  },
)

t.test('elections of yesterday do not make the page wider than a phone', async (t) => {
  const cluster = await Cluster.start(t, { count: 1 })
  await cluster.serving()
  const browser = await startBrowser(t)
  const page = await browser.newPage({ viewport: SIZES.phone })
  await page.route(/status\.json$/, async (route) => {
    const response = await route.fetch()
    const view = (await response.json()) as { servers: { status: { elections: { agoMs: number }[] } }[] }
    for (const { status } of view.servers) for (const election of status.elections) election.agoMs += 86_000_000
    await route.fulfill({ response, json: view })
  })
  await page.goto(`http://${cluster.address(0)}/status`)
  await shows(page, '#elections', '23 h 53 min ago')
  t.equal(await page.evaluate(OVERFLOW), 0)
})

t.test('a page that nobody sees does not ask', async (t) => {
  const cluster = await Cluster.start(t, { count: 1 })
  const browser = await startBrowser(t)
  const context = await browser.newContext()
  const page = await context.newPage()
  let asked = 0
  page.on('request', (request) => (asked += request.url().endsWith('/status.json') ? 1 : 0))
  // Headless pages are always visible: so this one is told that it is not.
  const show = (state: string): Promise<unknown> =>
    page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${String(state === 'hidden')}, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'))`)
  await page.goto(`http://${cluster.address(0)}/status`)
  await shows(page, '#word', /^Healthy$/)
  await show('hidden')
  await page.waitForTimeout(1_500) // what was under way has ended
  const before = asked
  await page.waitForTimeout(2_500)
  t.equal(asked, before)
  await show('visible')
  await page.waitForResponse(/status\.json$/, { timeout: PATIENCE })
  t.ok(asked > before)
})

t.test('curl gets what a browser gets', async (t) => {
  const cluster = await Cluster.start(t, { count: 1 })
  await cluster.serving()
  const { body, status } = await ask(cluster.address(0), '/healthz', { headers: { 'user-agent': 'curl/8' } })
  t.equal(status, 200)
  t.equal(body, '{"ready":true}\n')
  t.match((await ask(cluster.address(0), '/')).body, /<title>kvstore server 0<\/title>/)
})
