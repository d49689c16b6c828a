import t from 'tap'
import type { Command, Result } from '@synod/paxos/internal/protocol/command'
import { DEFAULT_LIMITS } from '@synod/paxos/internal/protocol/config'
import { Outbox } from '@synod/paxos/internal/protocol/outbox'
import { Requests } from '@synod/paxos/internal/protocol/requests'
import { bytes, command, commands, lines, showCommand, showOutbox, text } from '../../support/transcript.js'

/** Of server 0. `known` are the operations that its sessions know the outcome of. */
function requests(limits = {}) {
  const self = new Requests({ ...DEFAULT_LIMITS, ...limits })
  const out = new Outbox(0)
  const known = new Set<string>()
  const ok = (value: string): Result => ({ status: 'ok', value: bytes(value) })
  const outcomeOf = (command: Command): Result | undefined => {
    if (command.kind === 'op') return known.has(text(command.op)) ? ok(`${text(command.op)}, as before`) : undefined
    return command.kind === 'open' && known.has(command.nonce) ? ok(`9.${command.nonce}`) : undefined
  }
  return {
    self,
    known,
    submit: (list: string): string => {
      self.submit(commands(list), outcomeOf, out)
      return showOutbox(0, out)
    },
    forwarded: (list: string): void => {
      self.forwarded(commands(list))
    },
    take: (most = 100, now = 0): string => self.take(most, now).map(showCommand).join(', '),
    executed: (each: string, value = 'done'): string => {
      self.executed(command(each), ok(value), out)
      return showOutbox(0, out)
    },
    installed: (): string => {
      self.installed(outcomeOf, out)
      return showOutbox(0, out)
    },
  }
}

t.test('what is executed is answered if it is one of this server’s clients', (t) => {
  const { submit, forwarded, take, executed } = requests()
  submit('1.n/1 a, open m, mark k, end 1.n')
  forwarded('2.m/1 b')
  t.equal(take(), 'a, open m, mark k, end 1.n, b')
  t.equal(executed('1.n/1 a'), '0 replies 1.n/1 ok done')
  t.equal(executed('2.m/1 b'), '')
  t.equal(executed('mark k', '7'), '0 replies mark k ok 7')
  t.equal(executed('end 1.n', ''), '0 replies end 1.n ok')
  t.equal(executed('open m', '5.m'), '0 replies open m ok 5.m')
  t.equal(executed('open m', '6.m'), '', 'once')
  t.end()
})

t.test('a client that moves from server to server with a command is heard at each of them', (t) => {
  const { submit, forwarded, take, executed } = requests()
  forwarded('open n')
  t.equal(take(), 'open n')
  submit('open n') // it comes to the leader itself
  t.equal(executed('open n', '1.n'), '0 replies open n ok 1.n')
  take()
  forwarded('open n') // and goes back to where it was, as the answer was lost
  t.equal(take(), 'open n', 'its forward is not taken for a copy of what was proposed long ago')
  t.end()
})

t.test('however many were answered, those that were not are handed over again, in their order', (t) => {
  const { self, submit, take, executed } = requests()
  const all = Array.from({ length: 1000 }, (_, index) => `1.n/${index + 1} a${index + 1}`)
  submit(all.join(', '))
  take(1000)
  const left = all.filter((_, index) => index % 9 === 4)
  for (const each of all) if (!left.includes(each)) executed(each)
  self.requeue()
  t.equal(take(1000), left.map((each) => each.split(' ')[1]).join(', '))
  self.resend(10_000, 500)
  t.equal(take(1000), left.map((each) => each.split(' ')[1]).join(', '), 'and sent again when there is no word of them')
  t.end()
})

t.test('a snapshot answers what it tells the outcome of; all else goes on waiting', (t) => {
  const { submit, take, known, installed, executed } = requests()
  submit('1.n/1 a, 1.n/2 b, open m, open k, mark j, end 2.z')
  t.equal(take(3), 'a, b, open m')
  for (const each of ['a', 'm', 'k']) known.add(each)
  t.equal(
    installed(),
    lines(`
      0 replies 1.n/1 ok a, as before
      0 replies open m ok 9.m
      0 replies open k ok 9.k
    `),
  )
  t.equal(take(), 'mark j, end 2.z', 'what was answered is not proposed')
  t.equal(installed(), '', 'nor answered twice')
  t.equal(executed('1.n/2 b'), '0 replies 1.n/2 ok done', 'what was handed on is still waited for')
  t.equal(submit('1.n/1 a'), '0 replies 1.n/1 ok a, as before')
  t.end()
})

t.test('after a snapshot, others’ commands that wait here are known, and those that do not are not', (t) => {
  const { submit, forwarded, take, installed } = requests()
  forwarded('1.n/1 a, 1.n/2 b')
  submit('1.n/3 c')
  t.equal(take(1), 'a')
  installed()
  forwarded('1.n/1 a, 1.n/2 b, 1.n/3 c')
  t.equal(
    take(),
    'b, c, a',
    'a may have been among what the snapshot came with, or not: proposed again it does no harm',
  )
  t.end()
})

t.test('BUSY: what a snapshot answered counts no more', (t) => {
  const { submit, known, installed } = requests({ pending: 2, pendingBytes: 1000 })
  submit('1.n/1 a, 1.n/2 b')
  t.equal(submit('1.n/3 c'), '0 replies 1.n/3 busy')
  known.add('a')
  installed()
  t.equal(submit('1.n/3 c'), '')
  t.equal(submit('1.n/4 d'), '0 replies 1.n/4 busy')
  t.end()
})
