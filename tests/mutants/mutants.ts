/**
 * Deliberate bugs, to prove that the tests would find them. Each replaces pieces of the compiled code as it is loaded, in a
 * process of its own; the product has no switch for them.
 */
import { FEED_MUTANTS } from './feed-mutants.js'
import { HANDOVER_MUTANTS } from './handover-mutants.js'
import { LOG_MUTANTS } from './log-mutants.js'
import { READ_MUTANTS } from './read-mutants.js'
import type { Edit, Mutant } from './mutant.js'

const VALUES = "import { packValue, unpackValue } from '../codec/values.js';"

/** Lets clients.js look into the operations that it is given: they are the key-value store's. */
function answering(condition: string, value: string): Edit[] {
  const push = "commands.push({ kind: 'op', clientId, localId, acked, op: admitted });"
  const answer = `this.#answer(client, { clientId, localId, result: { status: 'ok', value: packValue(${value}) } });`
  const file = 'server/clients.js'
  const wire = "import { WIRE_VERSION } from '../transport/wire.js';"
  return [
    { file, replace: wire, by: `${wire}${VALUES}` },
    { file, replace: push, by: `{ const op = unpackValue(admitted); if (${condition}) ${answer} else ${push} }` },
  ]
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'vote-before-sync',
    broken: 'promises and votes leave before the disk has them',
    edits: [
      {
        file: 'server/journal.js',
        replace: 'if (this.#waiting.length === 0 && this.#writing === null)',
        by: 'if (true)',
      },
    ],
  },
  {
    name: 'early-answer-to-a-duplicate',
    broken: 'a p2a that came twice is answered while the record of the first is being written',
    edits: [
      {
        file: 'protocol/acceptor.js',
        replace: 'if (!this.#holds(run)) {',
        by: "if (this.#holds(run)) return out.send([from], { type: 'p2b', ballot: this.#ballot, first: run.first, last: lastSlot(run), decided, lives })\n        {",
      },
    ],
  },
  {
    name: 'ballot-reused-after-a-restart',
    // Rare, about one seed in 300: a majority that answers a prescout knows the ballot that another majority adopted. So the
    // server must come back before anybody else led, with a promise lost that nobody else has, either.
    broken: 'a ballot does not hold the start of its process',
    test: 'paxos/protocol/restart.test',
    edits: [
      {
        file: 'protocol/leader.js',
        replace: 'start: this.#config.start',
        by: 'start: 0',
      },
    ],
  },
  {
    name: 'ballots-compared-by-round-alone',
    broken: "two servers' ballots of one round are equal",
    edits: [
      {
        file: 'protocol/ballot.js',
        replace: 'return a.round - b.round || a.server - b.server || a.start - b.start',
        by: 'return a.round - b.round',
      },
    ],
  },
  {
    name: 'minority-decides',
    broken: 'a quorum is one server fewer than a majority',
    edits: [
      {
        file: 'protocol/config.js',
        replace: 'return count * 2 > configuration.servers.length',
        by: 'return count * 2 >= configuration.servers.length - 1',
      },
      {
        file: 'protocol/lives.js',
        replace: 'if (this.#lives.size * 2 <= configuration.servers.length)',
        by: 'if (this.#lives.size * 2 < configuration.servers.length - 1)',
      },
    ],
  },
  {
    name: 'half-decides',
    broken: 'a quorum is half of the servers, which is too few where their number is even',
    edits: [
      {
        file: 'protocol/config.js',
        replace: 'return count * 2 > configuration.servers.length',
        by: 'return count * 2 >= configuration.servers.length',
      },
      {
        file: 'protocol/lives.js',
        replace: 'if (this.#lives.size * 2 <= configuration.servers.length)',
        by: 'if (this.#lives.size * 2 < configuration.servers.length)',
      },
    ],
  },
  {
    name: 'promise-forgotten-on-restart',
    broken: 'a server that starts again knows its votes, but not its promises',
    edits: [
      {
        file: 'protocol/acceptor.js',
        replace: 'restorePromise(ballot) {\n        this.#adopt(ballot);',
        by: 'restorePromise(ballot) {',
      },
    ],
  },
  {
    name: 'unsynced-tail-trusted',
    broken: 'what a start reads back is not made durable before the server votes by it',
    edits: [
      {
        file: 'storage/log-file.js',
        replace: 'await file.sync();\n            await disk.rename',
        by: 'if (position === SECTOR) await file.sync();\n            await disk.rename',
      },
    ],
  },
  {
    name: 'failed-sync-ignored',
    broken: 'a write that failed is taken for durable',
    edits: [
      {
        file: 'storage/append-queue.js',
        replace: 'for (const { reject } of [...waiters, ...later])\n            reject(told);',
        by: 'for (const { resolve } of [...waiters, ...later])\n            resolve();',
      },
    ],
  },
  {
    name: 'log-without-o-dsync',
    broken: 'the log is written to the page cache only',
    test: 'durability/durability.test',
    edits: [{ file: 'storage/real-disk.js', replace: '(synchronous ? constants.O_DSYNC : 0)', by: '0' }],
  },
  {
    name: 'durable-before-it-is-written',
    broken: 'the real disk calls a write durable when the write has begun',
    test: 'durability/durability.test',
    edits: [
      {
        file: 'storage/real-disk.js',
        replace: 'from(0);\n        });\n    }\n    writeDurably',
        by: 'from(0);\n            if (this.#synchronous)\n                done();\n        });\n    }\n    writeDurably',
      },
    ],
  },
  {
    name: 'damage-taken-for-a-torn-write',
    broken: 'recovery cuts the log off at the first damage, wherever that is',
    edits: [
      {
        file: 'storage/recovery.js',
        replace: "if (file.rest === 'batch')\n        throw",
        by: 'if (false)\n        throw',
      },
    ],
  },
  {
    name: 'wiped-server-takes-part',
    broken: 'a server whose directory was wiped joins its cluster again, without its promises and votes',
    edits: [
      {
        file: 'server/formation.js',
        replace: '#remembers(peer, hello) {',
        by: '#remembers(peer, hello) {\n        return null;',
      },
      {
        file: 'server/formation.js',
        replace: "if (this.takesPart && hello.formation === 'empty' && !hello.repair)",
        by: 'if (false)',
      },
    ],
  },
  {
    name: 'local-reads',
    broken: 'a read is answered at once from the state of the server that is asked, which nobody has confirmed',
    edits: [
      {
        file: 'server/reads.js',
        replace: 'const queue = stale ? this.#stale : this.#queue;',
        by: 'const queue = this.#stale;',
      },
      { file: 'server/reads.js', replace: 'if (!stale)\n            this.#arrived++;', by: '' },
    ],
  },
  {
    name: 'read-that-deletes',
    broken: 'the service says of an operation that changes the state that it only reads',
    edits: [{ of: 'kvstore', file: 'service.js', replace: "new Set(['get', ", by: "new Set(['delete', 'get', " }],
  },
  {
    name: 'reply-before-decision',
    broken: 'a set is answered when it arrives, and proposed only then',
    edits: [
      ...answering("op.type === 'none'", 'null'),
      {
        file: 'server/clients.js',
        replace: 'this.#host.submit(commands);',
        by: `for (const { localId, op } of commands)
            if (unpackValue(op).type === 'set')
                this.#answer(client, { clientId, localId, result: { status: 'ok', value: packValue({ existed: false }) } });
        this.#host.submit(commands);`,
      },
    ],
  },
  {
    name: 'no-dedup',
    broken: 'a command is executed again when it comes again',
    edits: [
      {
        file: 'protocol/session.js',
        replace: 'const before = outcome(session, command);\n        if (before !== undefined)',
        by: 'const before = outcome(session, command);\n        if (false)',
      },
    ],
  },
  {
    name: 'evicted-session-executed',
    broken: 'a command of a session that was evicted is executed, though it may be a retry',
    edits: [
      {
        file: 'protocol/session.js',
        replace: 'return EXPIRED;',
        by: 'return machine.execute(slot, command.clientId, command.op, emit);',
      },
    ],
  },
  {
    name: 'lower-ballot-accepted',
    broken: 'an acceptor accepts below its promise',
    edits: [
      {
        file: 'protocol/acceptor.js',
        replace: 'const { run } = message;\n        if (compareBallots(run.ballot, this.#ballot) < 0)',
        by: 'const { run } = message;\n        if (false)',
      },
      {
        file: 'protocol/acceptor.js',
        replace: 'assert(sameBallot(run.ballot, this.#ballot)',
        by: 'assert(true',
      },
      {
        file: 'protocol/acceptor.js',
        replace: "out.sendAfterSync(from, { type: 'p2b', ballot: this.#ballot,",
        by: "out.sendAfterSync(from, { type: 'p2b', ballot: run.ballot,",
      },
    ],
  },
  {
    name: 'any-pvalue-proposed-again',
    broken: 'a scout keeps the first pvalue of a slot that it is told, not the one of the highest ballot',
    // Rare, about one seed in 250.
    test: 'paxos/protocol/scout.test',
    edits: [
      {
        file: 'protocol/scout.js',
        replace: 'if (known === undefined || compareBallots(ballot, known.ballot) > 0)',
        by: 'if (known === undefined)',
      },
    ],
  },
  {
    name: 'no-pvalue-proposed-again',
    broken: 'a new leader proposes its own commands for slots that may be decided',
    edits: [
      {
        file: 'protocol/scout.js',
        replace: 'proposals.set(slot, pvalue.command);',
        by: ';',
      },
    ],
  },
  {
    name: 'decision-taken-from-an-older-vote',
    broken: 'a replica takes for decided what its acceptor accepted at a lower ballot than the decision is of',
    edits: [
      {
        file: 'protocol/acceptor.js',
        replace: 'run !== undefined && compareBallots(run.ballot, ballot) >= 0',
        by: 'run !== undefined',
      },
    ],
  },
  {
    name: 'slot-skipped',
    broken: 'a replica passes over a decided slot whose command it does not have',
    edits: [
      {
        file: 'protocol/replica.js',
        replace: 'const command = this.#next(acceptedAt, out);',
        by: "const command = this.#next(acceptedAt, out);\n            if (command === undefined && this.slotOut < this.#heardOf) {\n                this.#tail.push({ kind: 'noop' }, Infinity);\n                continue;\n            }",
      },
    ],
  },
  ...LOG_MUTANTS,
  ...FEED_MUTANTS,
  ...READ_MUTANTS,
  ...HANDOVER_MUTANTS,
]
