import t from 'tap'
import { ballot, only } from '../../support/transcript.js'
import { farBehind } from './far-behind.js'

t.test('the tail is held for a server that fetches a snapshot, and let go when it is not heard of for long', (t) => {
  const network = farBehind(12, { tailCommands: 8 })
  network.snapshot(0)
  network.settle()
  const ask = (): string => {
    network.transcript()
    network.inject(2, 0, { type: 'catchUp', from: 13 })
    return only(/^0→2 (decided|compacted)/, network.transcript()).join()
  }
  network.inject(2, 0, { type: 'catchUp', from: 2 })
  for (let slot = 13; slot <= 30; slot++) network.submit(0, `1.n/${slot}^${slot - 2} x`)
  network.settle()
  t.match(ask(), '0→2 decided 1.0 slots 13–16', '18 commands are there, though 8 are the bound')
  for (let ms = 0; ms < 60_000; ms += 10_000) {
    network.run(10_000, 100)
    network.inject(2, 0, { type: 'fetch', slot: 12, id: '', offset: ms })
  }
  network.submit(0, '1.n/31^29 x')
  network.settle()
  for (let times = 0; times < 2; times++) {
    t.match(ask(), '0→2 decided 1.0 slots 13–16', 'as long as it fetches, and then asks for what comes behind it')
    network.run(20_000, 100)
    network.submit(0, `1.n/${32 + times}^30 x`)
    network.settle()
  }
  network.run(11_000, 100)
  network.submit(0, '1.n/34^30 x')
  network.settle()
  t.equal(ask(), '0→2 compacted from slot 13, snapshot 0; 1.0 decided<35', 'and not after that')
  t.end()
})

t.test('what a server has executed is not held for it any more, and nothing is once it is level', (t) => {
  /** Server 2, which had a snapshot of slot 12, has executed all below `decided`; then it asks, ten commands later. */
  const asked = (decided: number, from: number): string => {
    const network = farBehind(12, { tailCommands: 8, runCommands: 1, runsInFlight: 2 })
    network.snapshot(0)
    network.settle()
    network.inject(2, 0, { type: 'catchUp', from: 2 })
    const submit = (first: number, last: number): void => {
      for (let slot = first; slot <= last; slot++) network.submit(0, `1.n/${slot}^${slot - 2} x`)
      network.settle()
    }
    submit(13, 30)
    const { audit } = network.status(0)
    network.inject(2, 0, {
      type: 'heartbeatReply',
      ballot: ballot('1.0'),
      sequence: 1,
      decided,
      audit,
    })
    submit(31, 40)
    network.transcript()
    network.inject(2, 0, { type: 'catchUp', from })
    return only(/^0→2 (decided|compacted)/, network.transcript()).join()
  }
  t.match(asked(13, 13), '0→2 decided 1.0 slot 13')
  t.match(asked(20, 20), '0→2 decided 1.0 slot 20')
  t.match(asked(20, 19), '0→2 compacted from slot 19')
  t.match(asked(28, 28), '0→2 decided 1.0 slot 28')
  t.match(asked(29, 29), '0→2 compacted from slot 29', 'it lacked no more than is under way at once: it was level')
  t.end()
})
