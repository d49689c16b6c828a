import { Ticker } from '@synod/paxos/internal/server/ticker'
import t from 'tap'
import { ManualClock } from '../manual-clock.js'

t.test(
  'four times in the time of a session it is said who is connected, also when the clock was set back',
  async (t) => {
    const clock = new ManualClock()
    let back = 0
    const told: string[] = []
    const sessions = Array.from({ length: 1500 }, (_, index) => `${index}.n`)
    const ticker = new Ticker(
      { heartbeat: 100, election: 500, resend: 500, sessionTtl: 4_000, lease: 0, drift: 0 },
      {
        now: () => clock.now() - back,
        after: (ms, call) => clock.after(ms, call),
        defer: (call) => clock.defer(call),
        random: (bytes) => clock.random(bytes),
      },
      {
        step: (input) => {
          if (input.type === 'alive') told.push(`${input.clientIds.length} from ${input.clientIds[0]}`)
        },
        sessions: () => sessions,
        leaderless: () => 0,
        dropSubscribers: () => undefined,
        ticked: () => undefined,
      },
    )
    const once = ['1024 from 0.n', '476 from 1024.n']
    ticker.tick()
    t.strictSame(told.splice(0), once)
    await clock.pass(900)
    t.strictSame(told, [])
    await clock.pass(200)
    t.strictSame(told.splice(0), once)
    back = 60_000
    await clock.pass(1_000)
    t.strictSame(told.splice(0), once)
    await clock.pass(1_000)
    t.strictSame(told.splice(0), once)
    ticker.stop()
    await clock.pass(5_000)
    t.strictSame(told, [])
  },
)
