/** Deliberate bugs in the log's life: snapshots, collection, catch-up, installation and repair. */
import type { Mutant } from './mutant.js'

export const LOG_MUTANTS: readonly Mutant[] = [
  {
    name: 'votes-before-it-is-repaired',
    broken: 'a server that lost its votes answers p1a and p2a while it is being repaired',
    edits: [
      {
        file: 'protocol/voter.js',
        replace: 'this.#repair !== undefined || this.#hold.refuses(',
        by: 'this.#hold.refuses(',
      },
      {
        file: 'protocol/voter.js',
        replace: 'if (this.#repair !== undefined || this.#acceptor.isFull)',
        by: 'if (this.#acceptor.isFull)',
      },
    ],
  },
  {
    name: 'scout-ignores-lives',
    broken: 'a scout counts a promise of a former life beside those that know of the new one',
    test: 'harness/sim/repair.test',
    edits: [
      { file: 'protocol/reports.js', replace: 'this.#told.add(server, lives);', by: 'this.#told.add(server, []);' },
    ],
  },
  {
    name: 'commander-ignores-lives',
    broken: 'a commander counts a vote of a former life beside those that know of the new one',
    test: 'harness/sim/repair.test',
    edits: [
      {
        file: 'protocol/commander.js',
        replace: 'this.#votes.add(from, message.lives);',
        by: 'this.#votes.add(from, []);',
      },
    ],
  },
  {
    name: 'revived-before-sync',
    broken: 'a server helps a repair before it has noted the new life on its disk',
    edits: [
      {
        file: 'protocol/voter.js',
        replace: "this.#out.sendAfterSync(from, { type: 'revived',",
        by: "this.#out.send([from], { type: 'revived',",
      },
    ],
  },
  {
    name: 'repaired-without-catching-up',
    broken: 'a repaired server votes again before it knows all that was decided',
    edits: [
      { file: 'protocol/voter.js', replace: 'if (this.#beside.slotOut < decided)\n            return false;', by: '' },
    ],
  },
  {
    name: 'repaired-without-the-ballot',
    broken: 'a repaired server does not take over the ballot that the others have adopted',
    edits: [
      {
        file: 'protocol/repair.js',
        replace: 'this.#ballot = higher(this.#ballot, message.ballot);',
        by: '',
      },
    ],
  },
  {
    name: 'repaired-without-the-pvalues',
    broken: 'a repaired server does not take over what the others have accepted',
    edits: [
      {
        file: 'protocol/repair.js',
        replace: 'for (const run of message.accepted)\n            this.#keep(run);',
        by: '',
      },
    ],
  },
  {
    name: 'repaired-in-an-old-life',
    broken: 'a server that is repaired takes the life that the others know of',
    edits: [
      {
        file: 'protocol/repair.js',
        replace: 'this.#life = Math.max(this.#lives.of(id), ...this.#known.values()) + 1;',
        by: 'this.#life = Math.max(1, ...this.#known.values());',
      },
    ],
  },
  {
    name: 'collected-before-the-snapshot-is-durable',
    broken: 'the log is collected when a snapshot is begun',
    edits: [
      {
        file: 'server/snapshotter.js',
        replace: 'const info = isNew ? await',
        by: 'this.#host.durable(slot);\n        const info = isNew ? await',
      },
    ],
  },
  {
    name: 'snapshot-not-synced',
    broken: 'a snapshot gets its name before its file is synced',
    edits: [
      {
        file: 'storage/snapshot-writer.js',
        replace: 'await this.#file.sync();\n            await this.#file.close();',
        by: 'await this.#file.close();',
      },
    ],
  },
  {
    name: 'base-without-the-ballot',
    broken: 'what is logged anew when the log is collected does not hold the promise',
    edits: [
      {
        file: 'protocol/voter.js',
        replace: "type: 'base', collected: slot, ballot,",
        by: "type: 'base', collected: slot, ballot: { round: 0, server: 0, start: 0 },",
      },
    ],
  },
  {
    name: 'collects-too-much',
    broken: 'files of the log are deleted that hold votes above the snapshot',
    edits: [
      {
        file: 'storage/filling.js',
        replace: 'this.#files.firstNeeded(record.collected)',
        by: 'this.#files.firstNeeded(record.collected + 4)',
      },
    ],
  },
  {
    name: 'p1b-hides-the-collected-slot',
    broken: 'a p1b does not say up to which slot the log is collected',
    edits: [
      { file: 'protocol/acceptor.js', replace: 'const collected = this.#collected;', by: 'const collected = 0;' },
    ],
  },
  {
    name: 'installation-forgets-sessions',
    broken: 'sessions are not taken over from a snapshot',
    edits: [{ file: 'protocol/executor.js', replace: 'this.sessions.restore(sessions);', by: '' }],
  },
  {
    name: 'installation-forgets-events',
    broken: 'events are not taken over from a snapshot',
    service: 'chatroom',
    edits: [{ file: 'protocol/executor.js', replace: 'this.events.restore(events);', by: '' }],
  },
  {
    name: 'installation-forgets-the-chain',
    broken: 'the hash chain is not taken over from a snapshot',
    edits: [{ file: 'protocol/executor.js', replace: 'this.chain.restore(head.chain, head.block);', by: '' }],
  },
  {
    name: 'executed-again-behind-a-snapshot',
    broken: 'a start executes again what the log holds of slots that are in the snapshot',
    edits: [
      {
        file: 'protocol/replica.js',
        replace: 'for (const command of commands.slice(this.slotOut - first))',
        by: 'for (const command of commands)',
      },
    ],
  },
  {
    name: 'state-not-fixed',
    broken: 'a snapshot is made of a state that goes on to change',
    edits: [
      { of: 'kvstore', file: 'state.js', replace: 'const tree = this.#tree.clone();', by: 'const tree = this.#tree;' },
    ],
  },
  {
    name: 'sessions-not-fixed',
    broken: 'a snapshot is made of sessions that go on to change',
    edits: [{ file: 'protocol/session.js', replace: 'session.captures === this.#captures', by: 'true' }],
  },
  {
    name: 'catch-up-skips-slots',
    broken: 'a server that lags is told the decisions that are left in memory, as if they were those that it asked for',
    edits: [
      {
        file: 'protocol/replica.js',
        replace:
          'if (message.from < this.#tail.first)\n            return this.#compacted(from, message, now, out);\n        this.#holds.asked(from, message.from, now);\n        const commands = [];\n        let bytes = 0;\n        for (let slot = message.from;',
        by: 'const commands = [];\n        let bytes = 0;\n        for (let slot = Math.max(message.from, this.#tail.first);',
      },
    ],
  },
]
