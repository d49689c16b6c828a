import { Pace } from '@synod/paxos/internal/client/pace'
import { SESSION_WINDOW } from '@synod/paxos/internal/protocol/session'
import t from 'tap'
import { ManualClock } from '../manual-clock.js'
import { ScriptedCluster } from './scripted-cluster.js'
import { watch } from './watch.js'

t.test('as many are under way as a server took in, but for half of them, and more with each outcome', async (t) => {
  const clock = new ManualClock()
  const pace = new Pace(clock)
  t.equal(pace.window, SESSION_WINDOW)
  t.equal(pace.isBusy, false)
  for (let left = 999; left >= 700; left--) pace.refused(left)
  t.equal(pace.window, 700)
  for (let left = 699; left >= 0; left--) pace.refused(left)
  t.equal(pace.window, 500, 'half of what was under way')
  t.ok(pace.restsUntil > clock.now())
  t.ok(pace.isBusy)
  await clock.pass(pace.restsUntil - clock.now())
  for (let left = 499; left >= 0; left--) pace.refused(left)
  t.equal(pace.window, 250)
  for (let count = 0; count < 160; count++) pace.worked()
  t.equal(pace.window, 260)
  for (let count = 0; count < 16 * SESSION_WINDOW; count++) pace.worked()
  t.equal(pace.window, SESSION_WINDOW)
  t.equal(pace.isBusy, false)
})

t.test('a client rests longer each time that nothing but refusals comes, and something stays under way', async (t) => {
  const clock = new ManualClock()
  const pace = new Pace(clock)
  const rests: number[] = []
  for (let count = 0; count < 20; count++) {
    pace.refused(0)
    rests.push(pace.restsUntil - clock.now())
    await clock.pass(pace.restsUntil - clock.now())
  }
  t.ok(Math.max(...rests.slice(0, 2)) < 100)
  t.ok(Math.min(...rests.slice(10)) >= 500)
  t.ok(Math.max(...rests) <= 1_500)
  t.equal(pace.window, 1)
  pace.worked()
  pace.refused(0)
  t.ok(pace.restsUntil - clock.now() < 100, 'an outcome ends that')
})

t.test('a server with room for few commands is not offered many of them again and again', async (t) => {
  const cluster = new ScriptedCluster()
  const [room, total] = [100, 2_000]
  let held = 0
  let offered = 0
  const server = await cluster.server('a:1', (frame, self, connection) => {
    if (frame.type !== 'submit') return self.answer(frame, connection)
    offered += frame.commands.length
    const taken = frame.commands.slice(0, room - held)
    const refused = frame.commands.slice(taken.length)
    held += taken.length
    if (refused.length > 0) self.busy({ ...frame, commands: refused }, connection)
    if (taken.length === 0) return
    cluster.clock.after(10, () => {
      held -= taken.length
      self.answer({ ...frame, commands: taken }, connection)
    })
  })
  const client = cluster.client(['a:1'])
  const calls = Array.from({ length: total }, () => watch(client.submit({ add: 1 })))
  await cluster.clock.pass(9_000)
  t.ok(calls.every(({ outcome }) => outcome.startsWith('value')))
  t.ok(offered < 4 * total, `${offered} offered`)
  t.ok(server.frames.length > 0)
})
