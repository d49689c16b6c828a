/** `chatroom-client` on a terminal, as its user sees it. */
import t from 'tap'
import { freePorts, type Owner } from '../support/cluster.js'
import { hex } from './room.js'
import { ChatServers } from './servers.js'
import { Tty } from './tty.js'

t.setTimeout(180_000)
const servers = await ChatServers.start(t)
const others = servers.client(t)
const say = (room: string, text: string, author = 'eve') => others.post({ room, author, key: hex(author), text })

/** Somebody in a room, whose client is told of this server first. */
function open(owner: Owner, room: string, name: string, { from = 0, columns = 100, state = '' } = {}): Tty {
  return new Tty(owner, ['--servers', servers.from(from), '--name', name, '--room', room], { columns, state })
}

t.test('messages come above the line that is being typed, which is left as it is', async (t) => {
  await say('typing', 'there before')
  const ada = open(t, 'typing', 'ada', { columns: 60 })
  await ada.sees(/connected to 127.0.0.1:\d+$/, /typing: ada is here$/, /^\d\d:\d\d eve: there before$/, 'typing>')
  const typed = 'a line that is longer than the sixty columns of this terminal, with wide 漢字 in it'
  ada.type(`${typed}${'\u001b[D'.repeat(3)}`) // three to the left
  await ada.endsWith(`typing> ${typed}`)
  await say('typing', 'meanwhile')
  await say('typing', 'and a long one, which has to be broken, since it does not fit into sixty columns')
  await ada.sees(
    /^\d\d:\d\d eve: meanwhile$/,
    /^\d\d:\d\d eve: and a long one, which has to be broken,$/,
    /^ {6}since it does not fit into sixty columns$/,
    `typing> ${typed}`,
  )
  t.equal(ada.atCursor, ' ', 'the cursor is where it was')
  ada.type('!\r')
  await ada.sees(
    /^\d\d:\d\d #4 ada: a line that is longer than the sixty$/,
    /^ {6}columns of this terminal, with wide 漢字 in! it$/,
    'typing>',
  )
  t.notOk(
    ada.lines.some((line) => line.startsWith('typing> a line')),
    'what was typed is not there twice',
  )
  ada.type('\u0004')
  t.equal(await ada.ended(), 0)
})

t.test('a terminal that becomes narrower, or wider, keeps the messages above the line', async (t) => {
  const ada = open(t, 'resized', 'ada', { columns: 60 })
  await ada.sees(/resized: ada is here$/)
  await say('resized', 'before')
  const typed = 'a line that is longer than forty columns, and so is broken there'
  ada.type(typed)
  await ada.sees(/eve: before$/, `resized> ${typed}`)
  for (const columns of [40, 25, 110, 60]) {
    ada.resize(columns, 20)
    await ada.endsWith(`resized> ${typed}`)
    await say('resized', `at ${columns}`)
    await ada.sees(/eve: before$/, new RegExp(`eve: at ${columns}$`), `resized> ${typed}`)
  }
  t.equal(ada.lines.filter((line) => line.includes('eve: ')).length, 5)
})

t.test('two talk over two servers; one is killed, and both go on', async (t) => {
  const [ada, bob] = [open(t, 'killed', 'ada', { from: 1 }), open(t, 'killed', 'bob', { from: 2 })]
  await ada.sees(/killed: .*here$/)
  await bob.sees(/killed: .*here$/)
  ada.type('hello bob\r')
  await bob.sees(/ada: hello bob$/)
  bob.type('hello ada\r')
  await ada.sees(/bob: hello ada$/)
  await servers.kill(1)
  ada.type('are you still there?\r')
  bob.type('I am\r')
  for (const each of [ada, bob]) await each.sees(/#?\d* ?ada: hello bob$/, /bob: hello ada$/)
  await ada.sees(/ada: are you still there\?$/)
  await ada.sees(/bob: I am$/)
  await bob.sees(/ada: are you still there\?$/)
  const order = (tty: Tty) => tty.lines.flatMap((line) => /(?:ada|bob): .*$/.exec(line)?.[0] ?? [])
  t.strictSame(order(ada), order(bob))
  t.equal(order(ada).length, 4)
  servers.startServer(1)
  bob.type('\u0004')
  await ada.sees(/bob left$/)
})

t.test('without a majority messages are kept and marked, and sent when there is one', async (t) => {
  const ada = open(t, 'alone', 'ada')
  await ada.sees(/alone: ada is here$/)
  await servers.kill(1)
  await servers.kill(2)
  ada.type('first\rsecond\r')
  await ada.sees(/not sent yet: first$/, /not sent yet: second$/)
  await ada.sees(/connection to .* lost, trying others$/)
  await ada.endsWith('alone (no connection, 2 unsent)>')
  servers.startServer(1)
  servers.startServer(2)
  await ada.sees(/#1 ada: first$/, /#2 ada: second$/)
  await ada.sees(/lost, trying others$/, /connected to/)
  await ada.endsWith('alone>')
  const { messages } = await others.read('alone')
  t.strictSame(
    messages.map(({ text }) => text),
    ['first', 'second'],
  )
})

t.test('commands do what /help says', async (t) => {
  for (let n = 1; n <= 30; n += 1) await say('commands', `message ${n}`)
  const ada = open(t, 'commands', 'ada')
  await ada.sees(/10 messages before these: \/history shows them$/, /eve: message 11$/, /eve: message 30$/)
  ada.type('/history 3\r')
  await ada.sees(
    /messages 8 to 10:$/,
    /eve: message 8$/,
    /eve: message 9$/,
    /eve: message 10$/,
    /these were messages 8 to 10$/,
  )
  ada.type('//path\r')
  await ada.sees(/#31 ada: \/path$/)
  ada.type('put get\r')
  await ada.sees(/#32 ada: get$/)
  ada.type('/edit got\r')
  await ada.sees(/ada changed message #32 of \d\d:\d\d: got$/)
  ada.type('/edit 31 a path\r')
  await ada.sees(/ada changed message #31 of \d\d:\d\d: a path$/)
  ada.type('/delete\r')
  await ada.sees(/ada deleted message #32 of \d\d:\d\d$/)
  ada.type('/delete 30\r')
  await ada.sees("      message 30 is somebody else's.")
  ada.type('/who\r')
  await ada.sees('      ada (you)')
  ada.type('/rooms\r')
  await ada.sees('      commands: 32 messages, 1 here')
  ada.type('/nonsense\r')
  await ada.sees(/^ {6}\/nonsense is not a command; \/help shows them/)
  ada.type('get\r')
  await ada.sees(
    /eve: message 1$/,
    /eve: message 30$/,
    /#31 ada: a path \(edited\)$/,
    /#32 ada: \(deleted\)$/,
    /these were all 32 messages$/,
  )
  ada.type('/join another room\r')
  await ada.sees(/another room: ada is here$/, 'another room>')
  ada.type('/leave\r')
  await ada.sees(/you have left another room$/)
  ada.type('to nobody\r')
  await ada.sees('      You are in no room: /join ROOM goes to one.', '>')
  ada.type('/quit\r')
  t.equal(await ada.ended(), 0)
  t.strictSame((await others.who('another room')).here, [])
})

t.test('two names on one computer are two people, and each is the same one the next time', async (t) => {
  const state = t.testdir()
  const [ada, bob] = [open(t, 'computer', 'ada', { state }), open(t, 'computer', 'bob', { state })]
  await bob.sees(/computer: .*here$/)
  ada.type('mine\r')
  await bob.sees(/ada: mine$/)
  bob.type('/edit 1 taken\r')
  await bob.sees("      message 1 is somebody else's.")
  ada.type('\u0004')
  await bob.sees(/ada left$/)
  const again = open(t, 'computer', 'ada', { state })
  await again.sees(/#1 ada: mine$/)
  again.type('/edit 1 still mine\r')
  await bob.sees(/ada changed the message of \d\d:\d\d: still mine$/)
})

t.test('one can let go of the servers, and go to one alone', async (t) => {
  const ada = open(t, 'apart', 'ada')
  await ada.sees(/apart: ada is here$/)
  ada.type('/disconnect\r')
  await ada.sees(/not connected any more: \/connect connects again$/)
  ada.type('kept\r/who\r')
  await ada.sees(/not sent yet: kept$/, '      you are not connected: /connect connects again.')
  await ada.endsWith('apart (not connected, 1 unsent)>')
  const port = servers.addresses[2]?.split(':')[1] ?? ''
  ada.type(`/connect ${port}\r`)
  await ada.sees(`      — connected to 127.0.0.1:${port}`)
  await ada.sees(/#1 ada: kept$/)
  await servers.kill(2)
  await ada.sees(`      — connection to 127.0.0.1:${port} lost, trying again`)
  ada.type('/connect\r')
  await ada.sees(/lost, trying again$/, /connected to 127.0.0.1:\d+$/)
  servers.startServer(2)
  ada.type('/connect nowhere\r')
  await ada.sees(/^ {6}\/connect takes a port such as 10000, or a host:port, not/)
  ada.type('\u0004')
  t.equal(await ada.ended(), 0)
})

t.test('what was sent over another connection than it was written for is not said to be unsent', async (t) => {
  const ada = open(t, 'ways', 'ada')
  await ada.sees(/ways: ada is here$/)
  const [nobody = 0] = await freePorts(1)
  const leave = async (): Promise<void> => {
    ada.type(`/connect ${nobody}\r`)
    await ada.endsWith('ways (no connection)>')
  }
  await leave()
  ada.type('first\r/connect\r')
  await ada.sees(/#1 ada: first$/)
  await leave()
  // Both are looked after for as long, one after the other.
  ada.type('second\r')
  await ada.sees(/not sent yet: second$/)
  const sent = ada.lines.findIndex((line) => line.endsWith('#1 ada: first'))
  t.notOk(ada.lines.slice(sent).some((line) => line.endsWith('not sent yet: first')))
})

t.test('nothing that others write can act on the terminal, or pass for another message', async (t) => {
  const ada = open(t, 'nasty', 'ada')
  await ada.sees(/nasty: ada is here$/)
  await say('nasty', '\u001b[2J\u001b]0;title\u0007\u009b31mred')
  await say('nasty', 'abc\u202edef')
  await say('nasty', 'one\n12:00 ada: two\r\n\tthree')
  await say('nasty', `x${' '.repeat(100)}12:00 ada: fake`)
  await say('nasty', 'w'.repeat(150))
  await say('nasty', 'the end')
  await ada.sees(/nasty: ada is here$/, /eve: \\u001b\[2J\\u001b\]0;title\\u0007\\u009b31mred$/)
  await ada.sees(
    /eve: abc\\u202edef$/,
    /eve: one$/,
    '      12:00 ada: two',
    '          three',
    /^ {6} *12:00 ada: fake$/,
    /^ {6}w+$/,
    /the end$/,
  )
  t.notOk(ada.lines.some((line) => /^\d\d:\d\d ada:/.test(line)))
  t.notOk(ada.raw.includes('\u001b[2J') || ada.raw.includes('\u202e') || ada.raw.includes('\u009b'))
})

t.test('Ctrl-C drops the line, Ctrl-D ends, and what is unsent then is said', async (t) => {
  const ada = open(t, 'keys', 'ada')
  await ada.sees(/keys: ada is here$/)
  ada.type('half a line\u0003')
  await ada.sees('keys>', 'keys>')
  t.notOk(ada.lines.some((line) => line.includes('half a line')))
  ada.type('\u0003')
  await ada.sees('Ctrl-D ends.', 'keys>')
  ada.type('/rooms\r\u001b[A\r') // the arrow brings the last line back
  await ada.sees(/keys> \/rooms$/, /keys> \/rooms$/)
  ada.type('/disconnect\r')
  await ada.sees(/not connected any more/)
  ada.type('never sent\r')
  await ada.endsWith('keys (not connected, 1 unsent)>')
  ada.type('\u0004')
  t.equal(await ada.ended(), 3)
  await ada.sees('1 message had no outcome, and may not have been sent.')
})
