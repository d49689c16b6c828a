/** Virtual time: what happens in which order. */
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { VirtualTime } from '@synod/harness/internal/sim/time'
import t from 'tap'

t.test('events happen in the order of their moments, and of their making where those are equal', async (t) => {
  const time = new VirtualTime(new Prng(1))
  const prng = new Prng(7)
  const heard: [number, number][] = []
  const wanted: [number, number][] = []
  for (let number = 0; number < 500; number++) {
    const at = prng.below(20)
    wanted.push([at, number])
    time.after(at, () => heard.push([time.now, number]))
  }
  await time.runUntil(() => false, 100)
  t.strictSame(
    heard,
    wanted.sort(([a, i], [b, j]) => a - b || i - j),
  )
  t.equal(time.now, 100)
  t.equal(time.handled, 500)
})

t.test('what an event makes for its own moment follows what was made for that before', async (t) => {
  const time = new VirtualTime(new Prng(1))
  const heard: string[] = []
  time.after(5, () => {
    heard.push('one')
    time.after(0, () => heard.push('three'))
  })
  time.after(5, () => heard.push('two'))
  await time.runUntil(() => false, 5)
  t.strictSame(heard, ['one', 'two', 'three'])
})

t.test('what is cancelled does not happen', async (t) => {
  const time = new VirtualTime(new Prng(1))
  const heard: string[] = []
  const cancels = [0, 3].map((ms) => time.after(ms, () => heard.push(`after ${ms}`)))
  time.after(1, () => cancels[1]?.())
  cancels[0]?.()
  await time.runUntil(() => false, 10)
  t.strictSame(heard, [])
})

t.test('between two events every promise goes on that can', async (t) => {
  const time = new VirtualTime(new Prng(1))
  const heard: string[] = []
  const slowly = async (): Promise<void> => {
    for (let i = 0; i < 50; i++) await Promise.resolve()
    heard.push('promise')
  }
  for (let number = 0; number < 200; number++) {
    time.after(0, () => {
      heard.push('event')
      void slowly()
    })
  }
  await time.runUntil(() => heard.length === 400, 1)
  t.strictSame(heard, Array.from({ length: 200 }, () => ['event', 'promise']).flat())
})

t.test('it ends when its condition holds, and goes on from there', async (t) => {
  const time = new VirtualTime(new Prng(1))
  const heard: number[] = []
  for (const ms of [1, 2, 3]) time.after(ms, () => heard.push(ms))
  t.ok(await time.runUntil(() => heard.length === 2, 10))
  t.equal(time.now, 2)
  t.notOk(await time.runUntil(() => false, 10))
  t.strictSame(heard, [1, 2, 3])
})

t.test('a wait that is too short to be told from none ends all the same', async (t) => {
  const time = new VirtualTime(new Prng(1))
  let reached = false
  const { clock } = time.life()
  const until = 4137.26 + 4.5e-13
  const wait = (): void => {
    if (clock.now() >= until) reached = true
    else clock.after(until - clock.now(), wait)
  }
  clock.after(4137.26, wait)
  t.ok(await time.runUntil(() => reached || time.handled > 100, 5000))
  t.ok(reached)
})

t.test('what an event throws ends the run', async (t) => {
  const time = new VirtualTime(new Prng(1))
  time.after(1, () => {
    throw new RangeError('no')
  })
  await t.rejects(
    time.runUntil(() => false, 10),
    { message: 'no' },
  )
})
