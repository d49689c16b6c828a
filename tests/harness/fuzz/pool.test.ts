/** The processes that run scenarios: one that dies or hangs takes its scenario with it, and nothing else. */
import { drawScenario } from '@synod/harness/internal/fuzz/draw'
import { Pool } from '@synod/harness/internal/fuzz/pool'
import t from 'tap'

const worker = new URL('./scripted-worker.js', import.meta.url)

t.test('every scenario has its outcome, however many processes there are', async (t) => {
  const pool = new Pool({ jobs: 3, worker })
  t.teardown(() => {
    pool.close()
  })
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, seed) => pool.run(drawScenario(seed + 100), 'kvstore')),
  )
  t.strictSame(
    outcomes.map(({ operations }) => operations),
    Array.from({ length: 20 }, (_, seed) => seed + 100),
  )
  t.equal(new Set(outcomes.map(({ events }) => events)).size, 3, 'three processes had a part')
})

t.test('a process that dies is a failure of its scenario, and the others go on', async (t) => {
  const pool = new Pool({ jobs: 2, worker })
  t.teardown(() => {
    pool.close()
  })
  const [dead, alive, killed, later] = await Promise.all(
    [1, 101, 2, 102].map((seed) => pool.run(drawScenario(seed), 'kvstore')),
  )
  t.equal(dead?.failure?.check, 'process')
  t.match(dead?.failure?.detail, /ended with code 3: .*the last words/s)
  t.match(killed?.failure, { check: 'process', detail: /SIGKILL/ })
  t.strictSame([alive?.failure, later?.failure], [null, null])
})

t.test('a process that hangs is ended after its time, and is a failure of its scenario', async (t) => {
  const pool = new Pool({ jobs: 1, worker, limit: 1_500 })
  t.teardown(() => {
    pool.close()
  })
  const [hung, next] = await Promise.all([pool.run(drawScenario(3), 'kvstore'), pool.run(drawScenario(100), 'kvstore')])
  t.strictSame(hung.failure, { check: 'hang', detail: 'it was not over after 1500 ms of real time' })
  t.equal(next.failure, null)
})

t.test('the processes have the options that this one was started with', async (t) => {
  const pool = new Pool({ jobs: 1, worker })
  t.teardown(() => {
    pool.close()
  })
  const { failure } = await pool.run(drawScenario(4), 'kvstore')
  t.strictSame(failure, { check: 'options', detail: process.execArgv.join(' ') })
})
