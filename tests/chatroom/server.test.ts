/** The chatroom's servers as processes: what was posted on one is read on another, also when a third is gone. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chatroom } from '@synod/chatroom'
import { connect } from '@synod/paxos'
import t from 'tap'
import { freePorts } from '../support/cluster.js'

const COMMAND = fileURLToPath(new URL('../bin/chatroom-server.js', import.meta.resolve('@synod/chatroom')))

t.test('a post on one server is read on another one, after a third was killed', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'synod-chatroom-'))
  const addresses = (await freePorts(3)).map((port) => `127.0.0.1:${port}`)
  const servers = addresses.map((_, id) => {
    const place = ['--id', `${id}`, '--peers', addresses.join(','), '--data-dir', join(directory, `${id}`)]
    const child = spawn(process.execPath, [COMMAND, ...place], { stdio: 'ignore' })
    return { child, ended: once(child, 'exit') }
  })
  const clientOf = (id: number) =>
    connect(chatroom, { servers: addresses.slice(id, id + 1), discover: false, timeout: 20_000 })
  const [first, second] = [clientOf(0), clientOf(1)]
  t.teardown(async () => {
    await Promise.all([first.close(), second.close()])
    for (const { child } of servers) child.kill('SIGKILL')
    await Promise.all(servers.map(({ ended }) => ended))
    rmSync(directory, { recursive: true, force: true })
  })
  t.strictSame(await first.submit({ type: 'post', author: 'ann', text: 'hello' }), { number: 1 })
  servers[2]?.child.kill('SIGKILL')
  await servers[2]?.ended
  t.strictSame(await first.submit({ type: 'post', author: 'ann', text: 'is anybody there?' }), { number: 2 })
  t.strictSame(await second.submit({ type: 'read', from: 1 }), {
    messages: [
      { number: 1, author: 'ann', text: 'hello' },
      { number: 2, author: 'ann', text: 'is anybody there?' },
    ],
    total: 2,
  })
})
