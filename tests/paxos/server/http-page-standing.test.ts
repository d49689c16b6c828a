/** The status page of servers that are not up to it, in a real browser: what is told of them is made up. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ServerStatus } from '@synod/paxos'
import { realClock } from '@synod/paxos/internal/clock'
import { Pages } from '@synod/paxos/internal/server/http/pages'
import t from 'tap'
import { picture, startBrowser } from '../../support/browser.js'
import { statusOf } from '../../support/status.js'

t.setTimeout(60_000)

/** How long the page may take to show anything (ms). */
const PATIENCE = 20_000

/** Serves the pages of servers that stand so; null: nobody listens there. Answers their addresses. */
async function pagesOf(all: readonly (Partial<ServerStatus> | null)[]): Promise<string[]> {
  const listening = await Promise.all(
    all.map(async () => {
      const server = createServer()
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      t.teardown(() => {
        server.closeAllConnections()
        server.close()
      })
      return server
    }),
  )
  const addresses = listening.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`)
  for (const [id, server] of listening.entries()) {
    const fields = all[id] ?? null
    if (fields === null) {
      server.close()
      continue
    }
    const status = statusOf({ id, address: addresses[id] ?? '', leader: 0, ready: true, reason: null, ...fields })
    const pages = new Pages({ service: 'kvstore', id, addresses, clock: realClock, status: () => status })
    t.teardown(() => {
      pages.close()
    })
    server.on('request', pages.handle)
  }
  return addresses
}

t.test('the page shows what a server is at that does not serve yet, and how far it has come', async (t) => {
  const [address = ''] = await pagesOf([
    {
      role: 'leader',
      applied: 1_234_567,
      collected: 1_200_000,
      logBytes: 70 << 20,
      snapshot: { slot: 1_200_000, bytes: 125 << 20 },
      ballot: '7.0',
      reached: [1_234_567, 900_000, 1_234_560, 1_234_567, 1_100_000],
    },
    {
      role: 'starting',
      progress: 0.42,
      applied: 900_000,
      leader: null,
      ready: false,
      reason: 'this server is starting: 42 % of its directory is read',
    },
    {
      applied: 1_000,
      fetching: { from: 0, received: 31 << 20, bytes: 125 << 20 },
      ready: false,
      reason: 'this server is far behind: it fetches a snapshot of server 0, 24 % is here',
    },
    {
      role: 'repairing',
      applied: 1_234_000,
      life: 2,
      ready: false,
      reason: 'this server is being repaired from the others: it does not vote yet',
    },
    null,
  ])
  const page = await (await startBrowser(t)).newPage({ viewport: { width: 1300, height: 900 }, colorScheme: 'light' })
  await page.goto(`http://${address}/status`)
  const shows = (id: number, text: string | RegExp): Promise<void> =>
    page
      .locator(`#servers tr:nth-child(${id + 1})`)
      .filter({ hasText: text })
      .waitFor({ timeout: PATIENCE })
  await shows(0, /70\.0 MiBfrom slot 1,200,001/)
  await shows(0, /125 MiBthrough slot 1,200,000/)
  await shows(1, /starting.*42 %/)
  await shows(2, /a snapshot of server 0, 24 %/)
  await shows(3, /repairing.*repaired 2 times/)
  await shows(4, /1,100,000as the leader knows/)
  const bars = await page.evaluate("[...document.querySelectorAll('progress:not([hidden])')].map(({ value }) => value)")
  t.strictSame(bars, [0.42, 31 / 125])
  await picture(page, 'status-standing-light')
  await page.setViewportSize({ width: 360, height: 740 })
  const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
  t.equal(overflow, 0, 'nothing is wider than a phone')
})

t.test('two servers with other histories are the first thing that is seen', async (t) => {
  const audit = (letter: string) => ({ audit: { slot: 1_024, hash: letter.repeat(16) }, applied: 1_030 })
  const [address = ''] = await pagesOf([{ role: 'leader', ...audit('a') }, { ...audit('b'), life: 1 }, audit('a')])
  const page = await (await startBrowser(t)).newPage({ viewport: { width: 1300, height: 700 }, colorScheme: 'dark' })
  await page.goto(`http://${address}/status`)
  await page.locator('#word').filter({ hasText: 'Histories differ' }).waitFor({ timeout: PATIENCE })
  t.equal(await page.locator('#health').getAttribute('class'), 'down')
  t.match(
    await page.locator('#sentence').textContent(),
    /^Servers 0 and 1 have executed different commands up to slot 1,024/,
  )
  await picture(page, 'status-differ-dark')
})
