/** The chatroom's page in a real browser: people on different servers chat, and go on chatting when servers die. */
import t from 'tap'
import { picture, startBrowser } from '../support/browser.js'
import { ChatServers } from './servers.js'
import { DESKTOP, PHONE, Visitor } from './web-world.js'

t.setTimeout(120_000)

const browser = await startBrowser(t)
const servers = await ChatServers.start(t)
const client = servers.client(t)

/** What a client of the test's own reads: what the room really holds. */
async function textsIn(room: string): Promise<string[]> {
  return (await client.read(room)).messages.map(({ text }) => text)
}

async function leave(...visitors: readonly Visitor[]): Promise<void> {
  for (const { page } of visitors) await page.context().close()
}

// Somebody whose page can do nothing any more, not even say goodbye. Looked for at the end: a session lasts for a while.
const lost = await Visitor.open(browser, servers.url(2, 'gone'), 'Bob')
const crash = await lost.page.context().newCDPSession(lost.page)
void crash.send('Page.crash').catch(() => undefined)

/** The server that somebody's page is connected to: the leader's, after a moment, whichever the page came from. */
async function serverOf(visitor: Visitor): Promise<number> {
  const where = await visitor.where()
  return servers.addresses.findIndex((address) => where.endsWith(address.slice(address.lastIndexOf(':'))))
}

t.test('two people whose pages come from two servers see each other, and what each writes', async (t) => {
  const ann = await Visitor.open(browser, servers.url(0), 'Ann')
  const bob = await Visitor.open(browser, servers.url(1).replace('127.0.0.1', 'localhost'), 'Bob', PHONE)
  for (const visitor of [ann, bob]) t.match(await visitor.where(), 'Connected to')
  await ann.sees('both are here', async () => (await ann.people()).join() === 'Ann,Bob')
  await bob.sees('both are here', async () => (await bob.people()).join() === 'Ann,Bob')
  await ann.say('Hello, is anybody here?')
  await bob.seesText('Hello, is anybody here?')
  await bob.say('I am.\nAnd my server is another one.')
  for (const visitor of [ann, bob]) await visitor.seesText('I am.\nAnd my server is another one.')
  t.strictSame(await ann.texts(), await bob.texts())
  t.strictSame(await ann.unsent(), [])
  t.match(await ann.page.title(), '#lobby – Chat')
  t.match(await ann.page.textContent('#heard'), 'Bob: I am.', 'who listens to the page is told')
  await picture(ann.page, 'chat-desktop')
  await picture(bob.page, 'chat-phone')

  await ann.page.click('#rename')
  await ann.page.fill('dialog[open] input', 'Anna')
  await ann.page.keyboard.press('Enter')
  await bob.sees('the new name', async () => (await bob.people()).join() === 'Anna,Bob')
  await leave(bob)
  await ann.sees('Bob has left', async () => (await ann.people()).join() === 'Anna')
  t.strictSame([...ann.complaints, ...bob.complaints], [])
  await leave(ann)
})

t.test(
  'both go on when the server of one of them dies: nothing is lost or doubled, and the order is one',
  async (t) => {
    const ann = await Visitor.open(browser, servers.url(0, 'crash'), 'Ann')
    const bob = await Visitor.open(browser, servers.url(1, 'crash'), 'Bob')
    const said: string[] = []
    let killed = -1
    for (let round = 0; round < 30; round++) {
      if (round === 10) {
        killed = await serverOf(ann)
        await servers.kill(killed)
      }
      for (const [name, visitor] of [['Ann', ann] as const, ['Bob', bob] as const]) {
        await visitor.say(`${name} ${round}`)
        said.push(`${name} ${round}`)
      }
    }
    await ann.sees('all is said', async () => (await ann.texts()).length >= said.length)
    await bob.sees('all is said', async () => (await bob.texts()).length >= said.length)
    const seen = await ann.texts()
    t.strictSame([...(await ann.unsent()), ...(await bob.unsent())], [])
    t.strictSame([...seen].sort(), [...said].sort())
    t.strictSame(await bob.texts(), seen)
    t.strictSame(await textsIn('crash'), seen)
    for (const name of ['Ann', 'Bob'])
      t.strictSame(
        seen.filter((text) => text.startsWith(name)),
        said.filter((text) => text.startsWith(name)),
        'what one says stays in its order',
      )
    t.not(await serverOf(ann), killed, 'the page has moved to another server')
    t.match(await ann.where(), 'Connected to')
    await ann.sees('both are here still', async () => (await ann.people()).join() === 'Ann,Bob')
    await servers.restart(killed)
    await leave(ann, bob)
  },
)

t.test('rooms: found, created, and marked when there is something unread', async (t) => {
  const ann = await Visitor.open(browser, servers.url(0, 'tea'), 'Ann')
  const bob = await Visitor.open(browser, servers.url(1, 'coffee'), 'Bob', PHONE)
  await ann.page.fill('#find-name', 'co')
  t.strictSame(await ann.page.locator('#room-list .name').allTextContents(), ['coffee'])
  await ann.page.fill('#find-name', 'Ünï & <b>#42')
  t.match(await ann.page.textContent('#find-go'), /Create\s+#Ünï & <b>#42/)
  await ann.page.keyboard.press('Enter')
  await ann.isIn()
  t.equal(await ann.page.textContent('#room-name'), 'Ünï & <b>#42')
  t.match(ann.page.url(), /#%C3%9Cn%C3%AF/)
  await ann.say('first')
  await ann.page.goBack()
  await ann.page.waitForFunction('document.querySelector("#room-name").textContent === "tea"')
  await ann.say('a room without a word would go with the last who leaves it')

  await bob.say('one')
  await bob.say('two')
  const mark = ann.page.locator('#room-list a', { hasText: 'coffee' }).locator('.mark')
  await ann.sees('two are unread', async () => (await mark.textContent())?.startsWith('2') === true)
  t.match(await ann.page.title(), /^\(2\) #tea/)
  await picture(ann.page, 'unread-desktop')
  await ann.page.click('#room-list a:has-text("coffee")')
  await ann.seesText('two')
  await ann.sees('nothing is unread', async () => (await ann.page.title()) === '#coffee – Chat')

  await bob.page.click('#open-rooms')
  await picture(bob.page, 'rooms-phone')
  await bob.page.click('dialog[open] >> text=tea')
  await bob.page.waitForFunction('document.querySelector("#room-name").textContent === "tea"')
  await ann.sees('Bob has left', async () => (await ann.people()).join() === 'Ann')

  await bob.page.fill('#text', 'half a sent')
  await bob.page.goBack()
  t.equal(await bob.page.inputValue('#text'), '')
  await bob.page.goForward()
  t.equal(await bob.page.inputValue('#text'), 'half a sent', 'each room keeps its draft')
  t.strictSame([...ann.complaints, ...bob.complaints], [])
  await leave(ann, bob)
})

t.test('one edits and deletes what one wrote, and nothing else', async (t) => {
  const ann = await Visitor.open(browser, servers.url(0, 'edits'), 'Ann')
  const bob = await Visitor.open(browser, servers.url(1, 'edits'), 'Bob')
  await ann.say('A speling mistake')
  await ann.say('Too much')
  await bob.seesText('Too much')
  t.equal(await bob.page.locator('.actions').count(), 0)
  await ann.page.hover('.message:has-text("speling")')
  await picture(ann.page, 'actions')
  await ann.page.click('.message:has-text("speling") button[aria-label=Edit]')
  await ann.page.fill('.message textarea', 'A spelling mistake')
  await picture(ann.page, 'editing')
  await ann.page.press('.message textarea', 'Enter')
  await bob.seesText('A spelling mistake')
  t.match(await bob.page.textContent('.message:has-text("spelling")'), '(edited)')

  await ann.page.press('#text', 'ArrowUp')
  await ann.page.fill('.message textarea', 'Never mind')
  await ann.page.press('.message textarea', 'Escape')
  await ann.page.hover('.message:has-text("Too much")')
  await ann.page.click('.message:has-text("Too much") button[aria-label=Delete]')
  await picture(ann.page, 'deleting')
  await ann.page.keyboard.press('Escape')
  t.strictSame(await bob.texts(), ['A spelling mistake', 'Too much'], 'twice one thought better of it')
  await ann.page.click('.message:has-text("Too much") button[aria-label=Delete]')
  await ann.page.click('dialog[open] >> text=Delete >> nth=-1')
  await bob.page.waitForSelector('.gone')
  t.strictSame(await bob.texts(), ['A spelling mistake'])
  t.strictSame([...ann.complaints, ...bob.complaints], [])
  await leave(ann, bob)
})

t.test('history comes when one scrolls to it, and what is read stays where it is', async (t) => {
  const key = '0'.repeat(32)
  const all = Array.from({ length: 400 }, (_, index) => `Message ${index + 1}`)
  for (const [index, text] of all.entries())
    await client.post({ room: 'old', author: `Author ${index % 3}`, key, text, at: index * 1e6 })
  const ann = await Visitor.open(browser, servers.url(0, 'old'), 'Ann', { ...DESKTOP })
  await ann.seesText('Message 400')
  t.notOk((await ann.texts()).includes('Message 200'), 'not all of it is read at once')
  const seen = ann.page.locator('.message', { hasText: /Message 360$/ })
  await seen.evaluate((row) => row.scrollIntoView({ block: 'start' }))
  const before = await seen.boundingBox()
  await ann.page.mouse.move(600, 400)
  await ann.page.mouse.wheel(0, -100)
  await ann.sees('older ones came', async () => (await ann.texts())[0] !== 'Message 351')
  await ann.sees('it stays in its place', async () => {
    const after = await seen.boundingBox()
    return Math.abs((after?.y ?? 0) - (before?.y ?? 0) - 100) <= 2
  })
  await client.post({ room: 'old', author: 'Bob', key, text: 'News' })
  await ann.page.locator('#to-end', { hasText: '1 new message' }).waitFor()
  t.match(await ann.page.title(), /^\(1\)/)
  await picture(ann.page, 'new-below')

  // Up to the first, and down again: whatever is shown is a part of the whole without gaps, and never too much.
  const isPart = (texts: readonly string[]): boolean => {
    const first = all.indexOf(texts[0] ?? '')
    return texts.length <= 240 && [...all, 'News'].slice(first, first + texts.length).join() === texts.join()
  }
  for (const [direction, end] of [
    [-1, 'Message 1'],
    [1, 'News'],
  ] as const) {
    await ann.sees(`one comes to ${end}`, async () => {
      const texts = await ann.texts()
      if (!isPart(texts)) throw new Error(`there are gaps: ${texts.join()}`)
      await ann.page.mouse.wheel(0, direction * 2500)
      return texts.at(direction < 0 ? 0 : -1) === end
    })
    await picture(ann.page, direction < 0 ? 'beginning' : 'end')
  }
  await ann.sees('nothing is unread', async () => (await ann.page.title()) === '#old – Chat')
  await ann.page.mouse.wheel(0, -20_000)
  await ann.page.click('#to-end')
  await ann.page.locator('.message', { hasText: 'News' }).waitFor()
  t.strictSame(ann.complaints, [])
  await leave(ann)
})

t.test('a server that falls silent is left, also when nothing is to be said', async (t) => {
  const ann = await Visitor.open(browser, servers.url(0, 'silence'), 'Ann')
  await ann.sees('she is where the leader is', async () => (await serverOf(ann)) >= 0)
  const silent = await serverOf(ann)
  servers.signal(silent, 'SIGSTOP')
  await client.post({ room: 'silence', author: 'Bob', key: '0'.repeat(32), text: 'Can you hear me?' })
  await ann.seesText('Can you hear me?')
  t.not(await serverOf(ann), silent)
  servers.signal(silent, 'SIGCONT')
  t.strictSame(ann.complaints, [])
  await leave(ann)
})

t.test(
  'without a server, messages are kept and marked; they are sent later, once, also by another visit',
  async (t) => {
    const ann = await Visitor.open(browser, servers.url(0, 'offline'), 'Ann', PHONE)
    await ann.say('before')
    await ann.seesText('before')
    for (const id of servers.addresses.keys()) servers.signal(id, 'SIGSTOP')
    await ann.say('into the void')
    t.strictSame(await ann.unsent(), ['into the void'])
    await ann.page.locator('#unsent >> text=Not sent yet').waitFor()
    await ann.page.locator('#trouble:visible').waitFor()
    t.match(await ann.where(), 'Reconnecting')
    await picture(ann.page, 'offline')
    for (const id of servers.addresses.keys()) servers.signal(id, 'SIGCONT')
    await ann.seesText('into the void')
    await ann.page.locator('#trouble').waitFor({ state: 'hidden' })
    t.strictSame(await ann.unsent(), [])

    // A majority is gone: the page and its server are there, but nothing can be decided.
    await servers.kill(1)
    await servers.kill(2)
    await ann.say('undecided 1')
    await ann.say('undecided 2')
    t.strictSame(await ann.unsent(), ['undecided 1', 'undecided 2'])
    await ann.page.reload()
    await ann.sees('the reloaded page has them', async () => (await ann.unsent()).length === 2)
    servers.startServer(1)
    servers.startServer(2)
    await ann.seesText('undecided 2')
    await ann.sees('nothing is unsent', async () => (await ann.unsent()).length === 0)
    t.strictSame(await textsIn('offline'), ['before', 'into the void', 'undecided 1', 'undecided 2'])
    t.strictSame(await ann.texts(), await textsIn('offline'))
    await ann.page.reload()
    await ann.seesText('undecided 2')
    t.strictSame(await textsIn('offline'), ['before', 'into the void', 'undecided 1', 'undecided 2'], 'once')
    await leave(ann)
  },
)

t.test('who is gone without a word has left the room', async (t) => {
  const ann = await Visitor.open(browser, servers.url(1, 'gone'), 'Ann')
  await ann.sees('Bob is gone', async () => (await ann.people()).join() === 'Ann')
  t.strictSame(ann.complaints, [])
  await leave(ann)
})
