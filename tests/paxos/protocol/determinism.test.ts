import t from 'tap'
import { Paxos } from '@synod/paxos/internal/protocol/paxos'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import type { Input, Ready } from '@synod/paxos/internal/protocol/ready'
import { commands, config, Journal } from '../../support/transcript.js'
import { Network } from '../../support/network.js'

/** Some seconds with losses, repetitions and partitions, as a transcript. */
function story(seed: number): string {
  const network = new Network(5, { seed })
  const prng = new Prng(seed)
  for (let i = 1; i <= 100; i++) {
    network.submit(prng.below(5), i % 10 === 0 ? `open n${i}` : `1.n/${i} x${i}`)
    if (prng.chance(0.2)) network.cut(`${prng.below(2)}-${2 + prng.below(3)}`)
    if (prng.chance(0.2)) network.heal()
    if (prng.chance(0.2)) network.lose()
    network.run(prng.below(300))
  }
  return network.transcript()
}

t.test('the same inputs give the same outputs, byte for byte', (t) => {
  for (let seed = 1; seed <= 5; seed++) {
    const first = story(seed)
    t.ok(first.length > 10_000)
    t.ok(story(seed) === first, `seed ${seed}`)
  }
  t.not(story(1), story(2), 'and another seed gives others')
  t.end()
})

t.test('a recorded history of inputs, played to a new core, gives what the old one gave', (t) => {
  const play = (inputs: readonly Input[]): Ready[] => {
    const core = new Paxos(config(0, 1), new Journal())
    return inputs.map((input) => {
      core.step(input)
      return core.ready()
    })
  }
  const inputs: Input[] = [
    { type: 'tick', now: 0 },
    { type: 'tick', now: 500 },
  ]
  for (let i = 0; i < 20; i++) {
    const after = play(inputs).at(-1)?.messagesAfterSync ?? []
    for (const { message } of after) inputs.push({ type: 'message', from: 0, message, now: 500 + i })
    inputs.push({ type: 'submit', commands: commands(i === 0 ? 'open n' : `1.n/${i} x${i}`), now: 500 + i })
  }
  t.equal(JSON.stringify(play(inputs)), JSON.stringify(play(inputs)))
  t.match(JSON.stringify(play(inputs)), '"status":"ok"')
  t.end()
})

t.test('time that goes back is taken for time that stands still', (t) => {
  const network = new Network(1)
  network.tick(0)
  network.tick(500)
  network.settle()
  network.now = 0
  network.tick(0)
  network.submit(0, 'open n')
  network.settle()
  t.match(network.transcript(), '0 replies open n ok 1.n')
  t.end()
})
