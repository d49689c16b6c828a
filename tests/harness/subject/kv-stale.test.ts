/** Stale reads of the key-value store are judged by the slot that they name. */
import type { HistoryEvent } from '@synod/harness/internal/history/history'
import { kvModel } from '@synod/harness/internal/checker/models/kv'
import { check } from '@synod/harness/internal/checker/check'
import { parseScenario } from '@synod/harness/internal/scenario/load'
import { simulateScenario } from '@synod/harness/internal/sim/simulate-scenario'
import { staleReads } from '@synod/harness/internal/subject/kv-stale'
import { kvSubject } from '@synod/harness/internal/subject/kvstore'
import type { Evidence } from '@synod/harness/internal/subject/subject'
import t from 'tap'

const set = (slot: number, key: string, value: string) => ({ slot, index: 0, value: { type: 'set', key, value } })

/** What is complained of a stale read of `a` that was told this. */
function told(slot: number, value: string | null, more: Partial<Evidence> = {}): [string, boolean][] {
  const asked = { process: 'p', f: 'stale', key: 'a', time: 1 } as const
  const history: HistoryEvent[] = [
    { ...asked, type: 'invoke' },
    { ...asked, type: 'ok', value: { slot, value } },
  ]
  const feed = [
    set(3, 'a', '1'),
    set(4, 'b', 'x'),
    set(6, 'a', '2'),
    { slot: 8, index: 0, value: { type: 'delete', key: 'a' } },
  ]
  const final = { slot: 9, entries: [] }
  const evidence = { history, owners: [], gone: new Set<object>(), from: 1, feed, final, calm: true, ...more }
  return staleReads.complaints(evidence).map(({ what, mayPass }) => [what, mayPass])
}

t.test('what was there after the slot is right, and nothing else', (t) => {
  for (const [slot, value] of [
    [2, null],
    [3, '1'],
    [5, '1'],
    [6, '2'],
    [7, '2'],
    [8, null],
    [9, null],
  ] as const)
    // prettier-ignore
    t.strictSame(told(slot, value), [], `${slot}`)
  t.strictSame(told(5, '2'), [['process p was told "2" of "a" after slot 5, where it was "1"', false]])
  t.match(told(6, '1'), [[/where it was "2"/, false]])
  t.match(told(2, '1'), [[/where it was null/, false]])
  t.end()
})

t.test('a slot that there is not is wrong; the feed may be behind; what it never told is not known', (t) => {
  t.strictSame(told(10, null), [
    ['process p was told null of "a" after slot 10, and the last slot there is is 9', false],
  ])
  t.match(told(9, '3'), [[/where it was null/, true]])
  t.strictSame(told(5, 'old', { from: 5, feed: [set(6, 'a', '2')] }), [])
  t.match(told(7, 'old', { from: 5, feed: [set(6, 'a', '2'), set(8, 'b', 'y')] }), [[/where it was "2"/, false]])
  t.end()
})

t.test('stale reads are no part of the order that real time and the others allow', (t) => {
  const write = { process: 'w', f: 'write', key: 'a', value: '1' } as const
  const stale = { process: 's', f: 'stale', key: 'a' } as const
  const history: HistoryEvent[] = [
    { ...write, type: 'invoke', time: 1 },
    { ...write, type: 'ok', time: 2 },
    { ...stale, type: 'invoke', time: 3 },
    { ...stale, type: 'ok', value: { slot: 0, value: null }, time: 4 },
  ]
  t.equal(check(history, kvModel).result, 'linearizable')
  t.end()
})

t.test('a workload reads stale, also at a server that is cut off, and is judged', async (t) => {
  const steps = [
    { type: 'Start', count: 3 },
    { type: 'Wait', for: 'serving' },
    { type: 'Workload', clients: 3, operations: 150, rate: 100, mix: { write: 2, delete: 1, read: 1 } },
    { type: 'Workload', clients: 2, operations: 60, rate: 40, mix: { stale: 1 }, id: 2 },
    { type: 'Sleep', ms: 200 },
    { type: 'Partition', groups: [[2], [0, 1]] },
    { type: 'Sleep', ms: 800 },
    { type: 'Heal' },
    { type: 'Wait', for: 'workload' },
  ]
  const scenario = parseScenario(JSON.stringify(steps), 'stale.json')
  const { report } = await simulateScenario({ ...scenario, seed: 1 }, kvSubject)
  t.ok(report.ok)
  const found = report.checks.find(({ name }) => name === 'stale')
  t.equal(found?.ok, true)
  t.match(found?.detail, /^60 stale reads told what there was after the slot they named$/)
})
