/** One life of a simulated process: pauses, its end, and its clock. */
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { ProcessLife } from '@synod/harness/internal/sim/life'
import { VirtualTime } from '@synod/harness/internal/sim/time'
import t from 'tap'

function born(): { time: VirtualTime; life: ProcessLife; heard: string[]; note: (what: string) => () => void } {
  const time = new VirtualTime(new Prng(1))
  const heard: string[] = []
  const note = (what: string) => () => {
    heard.push(`${what} at ${Math.round(time.now * 1000) / 1000}`)
  }
  return { time, life: new ProcessLife(time, new Prng(2)), heard, note }
}

const passed = (time: VirtualTime, ms: number): Promise<boolean> => time.runUntil(() => false, time.now + ms)

t.test('what comes while it is paused comes when it goes on, in order, and what follows comes after it', async (t) => {
  const { time, life, heard, note } = born()
  life.clock.after(5, note('timer'))
  time.after(3, () => {
    life.enter(() => {
      note('frame')()
      life.enter(note('what that led to'))
    })
  })
  life.pause()
  await passed(time, 10)
  t.strictSame(heard, [])
  life.clock.defer(note('deferred'))
  life.resume()
  life.enter(note('new'))
  await passed(time, 10)
  t.strictSame(heard, ['frame at 10', 'timer at 10', 'new at 10', 'deferred at 10', 'what that led to at 10'])
})

t.test('it can be paused again before it has caught up', async (t) => {
  const { time, life, heard, note } = born()
  life.pause()
  life.enter(() => {
    note('first')()
    life.pause()
  })
  life.enter(note('second'))
  life.resume()
  await passed(time, 10)
  t.strictSame(heard, ['first at 0'])
  life.resume()
  await passed(time, 1)
  t.strictSame(heard, ['first at 0', 'second at 10'])
})

t.test('after its end nothing happens to it any more, paused or not', async (t) => {
  const { time, life, heard, note } = born()
  life.clock.after(5, note('timer'))
  life.clock.defer(note('deferred'))
  life.pause()
  life.enter(note('held'))
  life.end()
  life.resume()
  life.clock.after(5, note('a late timer'))
  life.enter(note('frame'))
  await passed(time, 100)
  t.strictSame(heard, [])
})

t.test('a timer that is cancelled by what came before it does not go off', async (t) => {
  const { time, life, heard, note } = born()
  const cancel = life.clock.after(2, note('timer'))
  time.after(1, () => life.enter(cancel))
  life.pause()
  await passed(time, 10)
  life.resume()
  await passed(time, 10)
  t.strictSame(heard, [])
})

t.test('a clock that jumps ahead lets timers go off that are due by then, in their order', async (t) => {
  const { time, life, heard, note } = born()
  life.clock.after(30, note('30'))
  life.clock.after(20, note('20'))
  life.clock.after(1000, note('1000'))
  await passed(time, 10)
  const before = life.clock.now()
  life.jump(500)
  t.equal(Math.round(life.clock.now() - before), 500)
  await passed(time, 1000)
  t.strictSame(heard, ['20 at 10', '30 at 10', '1000 at 500'])
})

t.test('a clock that jumps back says so, and its timers go off after their time all the same', async (t) => {
  const { time, life, heard, note } = born()
  life.clock.after(20, note('timer'))
  await passed(time, 10)
  const before = life.clock.now()
  life.jump(-5000)
  t.equal(Math.round(life.clock.now() - before), -5000)
  await passed(time, 100)
  t.strictSame(heard, ['timer at 20'])
  life.jump(4000)
  t.equal(Math.round(life.clock.now() - before), -900)
})

t.test('a clock runs at its own rate, from the moment at which that changes', async (t) => {
  const { time, life, heard, note } = born()
  life.clock.after(100, note('100'))
  await passed(time, 50)
  const before = life.clock.now()
  life.setRate(2)
  life.clock.after(100, note('another 100'))
  await passed(time, 30)
  t.strictSame(heard, ['100 at 75'])
  t.equal(Math.round(life.clock.now() - before), 60)
  life.setRate(0.5)
  await passed(time, 1000)
  t.strictSame(heard, ['100 at 75', 'another 100 at 160'])
})

t.test('no two processes have the same clock', (t) => {
  const time = new VirtualTime(new Prng(1))
  const prng = new Prng(2)
  const [a, b] = [new ProcessLife(time, prng), new ProcessLife(time, prng)]
  t.not(a.clock.now(), b.clock.now())
  t.notSame(a.clock.random(16), b.clock.random(16))
  t.end()
})
