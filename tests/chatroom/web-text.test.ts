/** Texts that are meant to do harm, or to break the layout, in a real browser: they are shown, and do nothing. */
import { MAX_TEXT } from '@synod/chatroom'
import t from 'tap'
import { picture, startBrowser } from '../support/browser.js'
import { ChatServers } from './servers.js'
import { DESKTOP, PHONE, Visitor } from './web-world.js'

t.setTimeout(120_000)

const key = '0'.repeat(32)
const browser = await startBrowser(t)
const servers = await ChatServers.start(t)
const client = servers.client(t)

const zalgo = 'Z\u0335\u0310\u0352\u0310\u0358'.padEnd(400, '\u0310\u0352\u0358\u0335') + 'algo'
const hostile: readonly (readonly [name: string, text: string])[] = [
  ['<img src=x onerror=alert(1)>', '<script>document.title = "gone"</script><img src=x onerror="alert(1)">'],
  ['&lt;Ann&gt; &#x202e;', '&lt;b&gt;not bold&lt;/b&gt; &amp;nbsp; "quoted" \u2028next\u2029one'],
  ['x'.repeat(64), 'w'.repeat(10_000)],
  ['ann\u202egnp.exe', 'to the right \u202eto the left, without an end'],
  ['\u2067RTL isolate', 'zero\u200bwidth \u2060 and \ufeff and \u00ad and \u{e0041} and a \u0007 bell'],
  ['שלום עולם', 'مرحبا بالعالم، هذا نص من اليمين إلى اليسار (v1.2) https://example.org/ و'],
  [zalgo.slice(0, 64), zalgo],
  ['👩‍👩‍👧‍👦', '👍🏽 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🇺🇳 ❤️'],
  ['newlines', Array.from({ length: 500 }, (_, line) => `line ${line}`).join('\n')],
  ['\u3164', '\u3164'],
]

t.test('what strangers write is shown as text: nothing runs, nothing reaches beyond its place', async (t) => {
  for (const [author, text] of hostile) await client.post({ room: 'hostile', author, key, text, at: 0 })
  const never = Number.MAX_SAFE_INTEGER
  await client.post({ room: 'hostile', author: 'At no time', key, text: 'no calendar has this day', at: never })
  await client.join('hostile', '<b>"\u202eSilas</b>')
  for (const [name, options] of [
    ['desktop', DESKTOP],
    ['phone', PHONE],
  ] as const) {
    const ann = await Visitor.open(browser, servers.url(0, 'hostile'), '<u>Ann</u> \u202e', options)
    await ann.seesText('no calendar has this day')
    t.equal(await ann.page.locator('#messages img, #messages script, #messages b, #people-list b').count(), 0)
    t.ok(await ann.isNarrow(), 'nothing is wider than the window')
    t.match(await ann.page.title(), '#hostile')
    const texts = await ann.texts()
    t.equal(texts[0], hostile[0]?.[1])
    t.equal(texts[1], hostile[1]?.[1].replace('\u2028', 'U+2028').replace('\u2029', 'U+2029'))
    t.equal(texts[2], hostile[2]?.[1], 'also the word of 10,000 characters, whole')
    t.match(texts[3], 'to the right U+202Eto the left')
    t.equal(texts[4], 'zeroU+200Bwidth U+2060 and U+FEFF and U+00AD and U+E0041 and a U+0007 bell')
    t.equal(texts[7], hostile[7]?.[1], 'emoji are left as they are')
    t.equal(texts[9], 'U+3164', 'nobody writes nothing')
    t.ok((await ann.people()).includes('<b>"U+202ESilas</b>'))
    // Each text is closed in: what comes after it is not turned around, nor covered.
    for (const text of await ann.page.locator('#messages .text, #messages .name').all())
      t.equal(await text.evaluate((node) => getComputedStyle(node).unicodeBidi), 'isolate')
    const folded = ann.page.locator('.folded')
    t.equal(await folded.count(), 2, 'long ones are folded')
    for (const each of await folded.all()) t.ok(((await each.boundingBox())?.height ?? 999) < 300)
    await ann.page.locator('#messages .message').nth(8).scrollIntoViewIfNeeded()
    await picture(ann.page, `hostile-${name}-end`)
    await ann.page.locator('#messages .message').nth(2).scrollIntoViewIfNeeded()
    await picture(ann.page, `hostile-${name}`)
    const more = ann.page.locator('button', { hasText: 'Show more' }).first()
    await more.click()
    t.equal(await folded.count(), 1)
    t.ok(await ann.isNarrow())
    await picture(ann.page, `hostile-${name}-unfolded`)
    t.strictSame(ann.complaints, [])
    await ann.page.context().close()
  }
})

t.test('texts that are meant to take long do not', async (t) => {
  const slow = [`http://a${'.'.repeat(16_000)}x`, '\u{e0041}'.repeat(8_000), '\u0001 http://b '.repeat(1_200)]
  for (let n = 0; n < 8; n += 1) for (const text of slow) await client.post({ room: 'slow', author: 'Bob', key, text })
  await client.post({ room: 'slow', author: 'Bob', key, text: 'the end' })
  const ann = await Visitor.open(browser, servers.url(1, 'slow'), 'Ann')
  await ann.seesText('the end')
  const longest = await ann.page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        // Without any it is not called.
        setTimeout(resolve, 1_000, 0)
        new PerformanceObserver((tasks) => {
          resolve(Math.max(...tasks.getEntries().map(({ duration }) => duration)))
        }).observe({ type: 'longtask', buffered: true })
      }),
  )
  t.ok(longest < 3_000, `the page was busy for ${longest} ms at most`)
  await ann.page.context().close()
})

t.test('addresses are links, if they lead to the web, and tell nobody where one came from', async (t) => {
  const texts = [
    'see https://example.org/a_(b)?c=1&d=%20#e.',
    '(http://127.0.0.1:1/x) and HTTPS://EXAMPLE.ORG/Ü!',
    'javascript:alert(1) data:text/html,x file:///etc/passwd ftp://a.example xhttp://b.example https://',
    'https://example.org/\u202egnp.exe http://a"onmouseover="alert(1)',
    'http://[\u3164] http://b.example/\u3164',
  ]
  for (const text of texts) await client.post({ room: 'links', author: 'Bob', key, text })
  const ann = await Visitor.open(browser, servers.url(1, 'links'), 'Ann')
  await ann.seesText(texts[2] ?? '')
  const links = await ann.page
    .locator('#messages a')
    .evaluateAll((all) => all.map((link) => [link.textContent, link.getAttribute('href'), link.getAttribute('rel')]))
  t.strictSame(
    links.map(([text, href]) => [text, href]),
    [
      ['https://example.org/a_(b)?c=1&d=%20#e', 'https://example.org/a_(b)?c=1&d=%20#e'],
      ['http://127.0.0.1:1/x', 'http://127.0.0.1:1/x'],
      ['HTTPS://EXAMPLE.ORG/Ü', 'https://example.org/%C3%9C'],
      ['https://example.org/', 'https://example.org/'],
      ['http://a', 'http://a/'],
      ['http://b.example/', 'http://b.example/'],
    ],
  )
  t.equal((await ann.texts()).at(-1), 'http://[U+3164] http://b.example/U+3164', 'nothing hides in an address')
  for (const [, , rel] of links) t.equal(rel, 'noopener noreferrer nofollow')
  await ann.page.context().close()
})

t.test('a limit is told before it is exceeded, and a text beyond it is not lost', async (t) => {
  const ann = await Visitor.open(browser, servers.url(2, 'limits'), 'Ann')
  const { page } = ann
  await page.fill('#text', 'x'.repeat(MAX_TEXT - 1_001))
  t.equal(await page.textContent('#text-limit'), '')
  await page.fill('#text', 'x'.repeat(MAX_TEXT - 10))
  t.equal(await page.textContent('#text-limit'), '10 characters left')
  await page.fill('#text', 'x'.repeat(MAX_TEXT + 1_500))
  t.equal(await page.textContent('#text-limit'), '1,500 characters too many to send')
  t.equal(await page.getAttribute('#send', 'aria-disabled'), 'true')
  await page.press('#text', 'Enter')
  t.equal((await page.inputValue('#text')).length, MAX_TEXT + 1_500)
  await picture(page, 'too-long')
  await page.fill('#text', ' \n ')
  await page.press('#text', 'Enter')
  await ann.say('y'.repeat(MAX_TEXT))
  await ann.seesText('y'.repeat(MAX_TEXT))
  t.equal((await ann.texts()).length, 1, 'nothing empty was sent')

  await page.click('#rename')
  for (const [name, wrong] of [
    ['', 'A name is needed.'],
    ['n'.repeat(65), 'one character too long: 64 are the most.'],
  ] as const) {
    await page.fill('dialog[open] input', name)
    await page.keyboard.press('Enter')
    t.match(await page.textContent('dialog[open] [role=alert]'), wrong)
  }
  await picture(page, 'wrong-name')
  await page.keyboard.press('Escape')
  await page.fill('#find-name', 'r'.repeat(65))
  t.match(await page.textContent('#find-hint'), 'one character too long: 64 are the most.')
  t.ok(await page.isHidden('#find-go'))
  t.strictSame(ann.complaints, [])
  await page.context().close()
})
