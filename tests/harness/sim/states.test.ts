/** Of the states that a process has one after the other, the simulator compares those that are whole. */
import { observedService } from '@synod/harness/internal/sim/observed-state'
import { States } from '@synod/harness/internal/sim/states'
import { kvstore } from '@synod/kvstore'
import t from 'tap'

const SET = { type: 'set', key: 'k', value: 'v' }

function watched() {
  const nothing = (): void => undefined
  const checker = { made: nothing, begins: nothing, executed: nothing, read: nothing }
  const states = new States(0, checker, (error) => {
    throw error
  })
  const { state } = observedService(kvstore, states)
  return { states, state }
}

t.test('the first one is whole, and a later one when a snapshot was read into it', (t) => {
  const { states, state } = watched()
  t.equal(states.whole, null)
  state()
  t.not(states.whole, null)
  state()
  t.equal(states.whole, null)
  const nothing = (): void => undefined
  const disk = { opening: nothing, opened: () => true, appending: nothing, durable: nothing, snapshot: nothing }
  const info = { slot: 8, id: '0'.repeat(32), maker: 1, size: 100 }
  states.reading({ ...disk, read: nothing, unreadable: nothing }).read(info, [])
  t.not(states.whole, null)
  t.end()
})

// Else servers that had all come to one state were waited for without end: their snapshot was damaged, and the log had everything.
t.test('one that took the place of a damaged snapshot is whole when it begins to execute', (t) => {
  const { states, state } = watched()
  state()
  const second = state()
  t.equal(states.whole, null)
  second.execute(1, { clientId: '1.a', op: SET }, () => undefined)
  t.strictSame([...(states.whole?.snapshot() ?? [])].length, 1)
  t.end()
})
