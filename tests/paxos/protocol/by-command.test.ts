/** A map by command does as one by a text of the command does, whatever order sessions come in. */
import { ByCommand } from '@synod/paxos/internal/protocol/by-command'
import type { Command } from '@synod/paxos/internal/protocol/command'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import t from 'tap'

const op = new Uint8Array(0)
const COMMANDS: readonly Command[] = [
  ...['1.a', '2.b', '1.c'].flatMap((clientId) =>
    [1, 2, 3].map((localId): Command => ({ kind: 'op', clientId, localId, acked: 0, op })),
  ),
  { kind: 'open', nonce: 'n' },
  { kind: 'mark', nonce: 'n' },
  { kind: 'end', clientId: '1.a' },
  { kind: 'noop' },
]

t.test('it holds what was set and not deleted, and counts it', (t) => {
  const prng = new Prng(5)
  const map = new ByCommand<number>()
  const model = new Map<string, number>()
  for (let step = 0; step < 20_000; step++) {
    const command = COMMANDS[prng.below(COMMANDS.length)] ?? { kind: 'noop' }
    const copy = { ...command } // a retry is another object
    const key = JSON.stringify(command)
    const what = prng.below(200)
    if (what === 0) {
      map.clear()
      model.clear()
    } else if (what < 100) {
      map.set(copy, step)
      model.set(key, step)
    } else {
      map.delete(copy)
      model.delete(key)
    }
    if (prng.below(8) > 0) continue // looking changes which session was looked at last
    const wrong = COMMANDS.find((known) => map.get(known) !== model.get(JSON.stringify(known)))
    if (wrong !== undefined || map.size !== model.size) t.fail(`after step ${step}`, { wrong, size: map.size })
  }
  t.ok(model.size > 0)
  t.end()
})
