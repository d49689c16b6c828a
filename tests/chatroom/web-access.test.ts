/** The page for everybody: by keyboard alone, by ear, with little sight, in small windows, in the light and in the dark. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import t from 'tap'
import type { Page } from 'playwright-core'
import { picture, startBrowser } from '../support/browser.js'
import { ChatServers } from './servers.js'
import { DESKTOP, PHONE, Visitor } from './web-world.js'

t.setTimeout(120_000)

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const browser = await startBrowser(t)
const servers = await ChatServers.start(t)
const client = servers.client(t)
const key = '0'.repeat(32)

/** What axe-core finds wrong with the page as it is now. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  return page.evaluate<string[]>(`axe.run({ resultTypes: ['violations'] }).then(({ violations }) =>
    violations.map(({ id, help, nodes }) => id + ': ' + help + ' ' + nodes.map(({ html }) => html).join(' ')))`)
}

/** What has the focus: its id, or its name. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const { activeElement: element } = document
    if (element === document.body || element === null) return 'nothing'
    return element.id === '' ? (element.getAttribute('aria-label') ?? element.textContent) : element.id
  })
}

/** Whether one sees what has the focus, and that it has. */
function isFocusSeen(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const element = document.activeElement
    if (element === null || element === document.body) return false
    const { outlineStyle, outlineWidth } = getComputedStyle(element)
    const { top, bottom, left, right } = element.getBoundingClientRect()
    const isInside = bottom > 0 && right > 0 && top < innerHeight && left < innerWidth
    return isInside && outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2
  })
}

t.test(
  'axe finds nothing wrong: light and dark, phone and desktop, with each kind of message and dialog',
  async (t) => {
    for (const [author, text] of [
      ['Bob', 'A message with https://example.org/'],
      ['Bob', 'Another one \u202e'],
      ['Cleo', 'long\n'.repeat(40)],
      ['שלום', 'مرحبا'],
    ] as const)
      await client.post({ room: 'axe', author, key, text })
    for (const [name, size] of [
      ['desktop', DESKTOP],
      ['phone', PHONE],
    ] as const) {
      for (const colorScheme of ['light', 'dark'] as const) {
        const ann = await Visitor.open(browser, servers.url(0, 'axe'), 'Ann', { ...size, colorScheme })
        const { page } = ann
        await ann.say(`My own, ${colorScheme}`)
        await ann.seesText(`My own, ${colorScheme}`)
        await client.post({ room: 'elsewhere', author: 'Bob', key, text: 'unread' })
        await page.focus('.message >> nth=-1')
        t.strictSame(await violations(page), [], `${name}, ${colorScheme}`)
        await picture(page, `axe-${name}-${colorScheme}`)
        await page.press('#text', 'ArrowUp')
        t.strictSame(await violations(page), [], 'while editing')
        await page.keyboard.press('Escape')
        if (name === 'phone') {
          await page.click('#open-rooms')
          t.strictSame(await violations(page), [], 'with the rooms')
          await picture(page, `drawer-${colorScheme}`)
          await page.click('#rename')
        } else await page.click('#rename')
        t.strictSame(await violations(page), [], 'with a dialog')
        await page.context().close()
      }
    }
  },
)

t.test('unsent messages and trouble are as legible as all else', async (t) => {
  const visitors: Visitor[] = []
  for (const colorScheme of ['light', 'dark'] as const)
    visitors.push(await Visitor.open(browser, servers.url(0, 'trouble'), 'Ann', { ...PHONE, colorScheme }))
  for (const id of servers.addresses.keys()) servers.signal(id, 'SIGSTOP')
  for (const { page } of visitors) {
    await page.fill('#text', 'unsent')
    await page.press('#text', 'Enter')
  }
  for (const { page } of visitors) {
    await page.locator('#trouble:visible').waitFor()
    t.strictSame(await violations(page), [])
  }
  for (const id of servers.addresses.keys()) servers.signal(id, 'SIGCONT')
  for (const visitor of visitors) {
    await visitor.sees('it is sent', async () => (await visitor.unsent()).length === 0)
    await visitor.page.context().close()
  }
})

t.test('by keyboard alone', async (t) => {
  for (const text of ['one', 'two', 'three']) await client.post({ room: 'keys', author: 'Bob', key, text })
  const context = await browser.newContext({ ...DESKTOP, reducedMotion: 'reduce' })
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  await page.goto(servers.url(0, 'keys'))
  await page.waitForSelector('dialog[open]')
  await page.keyboard.press('Escape')
  await page.keyboard.press('Escape')
  // The browser closes the dialog at the second Escape, and the page opens it again a task later.
  await page.locator('dialog[open] input:focus').waitFor()
  await page.keyboard.type('Ann')
  await page.keyboard.press('Enter')
  await page.waitForSelector('.message >> nth=2')
  t.equal(await focused(page), 'text', 'one can write at once')

  await page.keyboard.type('first line')
  await page.keyboard.press('Shift+Enter')
  await page.keyboard.type('second line')
  await page.keyboard.press('Enter')
  await page.locator('.text', { hasText: /^first line\nsecond line$/ }).waitFor()

  const walked: string[] = []
  await page.focus('#skip')
  for (let name = 'skip'; name !== 'nothing' && !walked.includes(name); name = await focused(page)) {
    t.ok(await isFocusSeen(page), `the focus is seen on: ${name}`)
    walked.push(name)
    await page.keyboard.press('Tab')
  }
  for (const id of ['find-name', 'rename', 'text', 'send', 'Edit', 'Delete', 'people-list'])
    t.ok(walked.includes(id), `the tab key comes to ${id}`)
  t.ok(walked.length < 15, 'and the list of messages is one stop, with what is in it')

  await page.focus('#skip')
  await page.keyboard.press('Enter')
  t.equal(await focused(page), 'text')

  await page.keyboard.press('Shift+Tab')
  await page.keyboard.press('Shift+Tab')
  await page.keyboard.press('Shift+Tab')
  t.match(await focused(page), 'first line')
  await page.keyboard.press('ArrowUp')
  t.match(await focused(page), 'three')
  await page.keyboard.press('Home')
  t.match(await focused(page), 'one')
  await page.keyboard.press('End')
  await page.keyboard.press('Tab')
  t.equal(await focused(page), 'Edit')
  await page.keyboard.press('Enter')
  await page.keyboard.type(', edited')
  await page.keyboard.press('Enter')
  await page.waitForSelector('.text:has-text("second line, edited")')
  t.match(await focused(page), 'second line, edited', 'one is where one was')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  t.equal(await focused(page), 'Delete')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Escape')
  t.equal(await focused(page), 'Delete', 'and back')

  await page.focus('#find-name')
  await page.keyboard.type('made by keys')
  await page.keyboard.press('Enter')
  await page.waitForSelector('#room-name:has-text("made by keys")')
  t.equal(await focused(page), 'text')
  await page.focus('#room-list a:has-text("keys") >> nth=0')
  await page.keyboard.press('Enter')
  await page.locator('#room-name', { hasText: /^keys$/ }).waitFor()

  await page.setViewportSize(PHONE.viewport)
  await page.focus('#open-rooms')
  await page.keyboard.press('Enter')
  await page.waitForSelector('dialog[open] #rooms')
  await page.keyboard.press('Escape')
  await page.waitForSelector('dialog[open]', { state: 'detached' })
  t.equal(await focused(page), 'open-rooms', 'Escape leads back to where one was')
  await context.close()
})

t.test('at twice the size, and in the smallest of windows, all is there', async (t) => {
  await client.post({ room: 'zoom', author: 'A long name '.repeat(5).trim(), key, text: 'Some words, and one more' })
  for (const [width, height] of [
    [640, 400],
    [320, 256],
    [740, 360],
  ] as const) {
    const ann = await Visitor.open(browser, servers.url(1, 'zoom'), 'Ann', { viewport: { width, height } })
    t.ok(await ann.isNarrow(), `${width} × ${height} does not scroll to the side`)
    for (const seen of ['#text', '#send', '#where', '.message >> nth=-1'])
      t.ok(await ann.page.locator(seen).evaluate((node) => node.getBoundingClientRect().bottom <= innerHeight), seen)
    await ann.page.locator('.message >> text=Some words').waitFor()
    await picture(ann.page, `zoom-${width}`)
    await ann.page.context().close()
  }
})

t.test('every colour of text has contrast enough on every ground that it is used on', (t) => {
  const file = new URL('../src/web/style/colours.css', import.meta.resolve('@synod/chatroom'))
  const [light = '', dark = ''] = readFileSync(file, 'utf8').split('@media')
  const themes = [light, dark].map(
    (css) => new Map([...css.matchAll(/--([\w-]+): (#\w{6});/g)].map(([, a, b]) => [a, b])),
  )
  const pairs: readonly (readonly [text: string, grounds: string, least: number])[] = [
    ['text', 'page side raised hover line accent-soft', 4.5],
    ['muted', 'page side raised hover line accent-soft', 4.5],
    ['accent', 'page side raised hover accent-soft', 4.5],
    ['on-accent', 'accent', 4.5],
    ['warn', 'warn-soft page hover', 4.5],
    ['bad', 'page raised hover', 4.5],
    ['page', 'bad', 4.5],
    ['on-face', [0, 1, 2, 3, 4, 5, 6, 7].map((face) => `face-${face}`).join(' '), 4.5],
    // What shows where fields and signs are (WCAG 1.4.11).
    ['edge', 'page side raised', 3],
    ['ok', 'page', 3],
  ]
  for (const [index, theme] of themes.entries()) {
    for (const [text, grounds, least] of pairs) {
      for (const ground of grounds.split(' ')) {
        const ratio = contrast(theme.get(text) ?? '', theme.get(ground) ?? '')
        t.ok(ratio >= least, `${index === 0 ? 'light' : 'dark'}: ${text} on ${ground}: ${ratio.toFixed(2)}`)
      }
    }
  }
  t.end()
})

/** WCAG 2.2: the contrast of two colours, `#rrggbb`. */
function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (high + 0.05) / (low + 0.05)
}

function luminance(colour: string): number {
  const [red = NaN, green = NaN, blue = NaN] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255
    return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
