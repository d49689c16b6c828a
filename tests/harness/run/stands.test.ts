/** Conditions on single servers: what their status must say, and what is told of it. Of scripted servers. */
import type { Run } from '@synod/harness/internal/run/run'
import { stands, standsProblems } from '@synod/harness/internal/run/stands'
import type { ServerStatus } from '@synod/paxos'
import t from 'tap'
import { statusOf } from '../../support/status.js'

/** A run whose servers stand as the list says; null: it does not answer, undefined: it is down. Each look takes 1 s. */
function runOf(servers: (Partial<ServerStatus> | null | undefined)[]): Run {
  let now = 0
  const world = {
    servers: servers.length,
    now: () => now,
    sleep: (ms: number) => Promise.resolve((now += ms)),
    standing: (id: number) => (servers[id] === undefined ? 'down' : 'up'),
    status: (id: number) => {
      now += 1_000
      const status = servers[id]
      return Promise.resolve(status === null || status === undefined ? null : statusOf({ id, ...status }))
    },
  }
  return { world } as unknown as Run
}

const none = { slot: 0, bytes: 0 }
const through = (slot: number): Partial<ServerStatus> => ({ snapshot: { slot, bytes: 100 }, collected: slot })

t.test('a snapshot and a collected log are asked of one server, or of all that are up', async (t) => {
  const run = runOf([through(7), { snapshot: none, collected: 0 }, undefined])
  t.equal(await stands(run, 'snapshot', { id: 0 })(), true)
  t.equal(await stands(run, 'snapshot', { id: 0, slot: 7 })(), true)
  t.equal(await stands(run, 'snapshot', { id: 0, slot: 8 })(), false)
  t.equal(await stands(run, 'collected', { id: 0, slot: 7 })(), true)
  t.equal(await stands(run, 'collected', { id: 1 })(), false)
  t.equal(await stands(run, 'collected', {})(), false, 'not all')
  t.equal(await stands(runOf([through(7), through(9), undefined]), 'collected', { slot: 7 })(), true, 'all that are up')
  t.equal(await stands(runOf([undefined]), 'collected', {})(), false, 'nobody is up')
  t.equal(await stands(runOf([null, through(3)]), 'snapshot', {})(), false, 'one does not answer')
})

t.test('installed is who got a snapshot, and has executed what the others had when it was first asked', async (t) => {
  const fetching = { from: 0, received: 1, bytes: 2 }
  const servers: Partial<ServerStatus>[] = [{ applied: 50 }, { applied: 40 }, { applied: 9, installed: 0 }]
  const run = runOf(servers)
  const look = stands(run, 'installed', { id: 2 })
  t.equal(await look(), false)
  servers[0] = { applied: 1_000 }
  servers[2] = { applied: 60, installed: 0 }
  t.equal(await look(), false, 'it may have been told all by messages')
  servers[2] = { applied: 60, installed: 1, fetching }
  t.equal(await look(), false, 'there is more to come')
  servers[2] = { applied: 49, installed: 1, fetching: null }
  t.equal(await look(), false, 'it is behind what the others had')
  servers[2] = { applied: 50, installed: 1, fetching: null }
  t.equal(await look(), true, 'the others may have gone on')
})

t.test('repaired is who has lived more than once, and takes part', async (t) => {
  for (const [role, life, wanted] of [
    ['follower', 1, true],
    ['leader', 2, true],
    ['repairing', 1, false],
    ['starting', 1, false],
    ['follower', 0, false],
  ] as const)
    t.equal(await stands(runOf([{ role, life }]), 'repaired', { id: 0 })(), wanted, `${role} in life ${life}`)
})

t.test('what is expected and is not so is told with how the server stands', async (t) => {
  const run = runOf([{ ...through(7), life: 1, role: 'follower', applied: 9, installed: 0 }, null, undefined])
  t.strictSame(await standsProblems(run, { snapshot: [0], collected: [0], slot: 7, repaired: [0] }), [])
  t.strictSame(await standsProblems(run, { collected: [0, 1], slot: 8 }), [
    'server 0: the log was not collected so far; it is follower, in life 1, has executed slot 9, has a snapshot through 7 and its log collected through 7, and installed 0',
    'server 1: the log was not collected so far; it does not answer',
  ])
  t.strictSame(await standsProblems(run, { repaired: [2] }), [
    'server 2: the server was not repaired, so that it votes; it does not answer',
  ])
})
