/** Deliberate bugs in reads without the log, and in leaders' leases. */
import type { Mutant } from './mutant.js'

export const READ_MUTANTS: readonly Mutant[] = [
  {
    name: 'read-without-confirmation',
    broken: 'a leader names the index of reads without asking whether it leads still',
    test: 'paxos/protocol/reads.test',
    edits: [{ file: 'protocol/read-index.js', replace: 'if (this.#confirmed(question, new Set()))', by: 'if (true)' }],
  },
  {
    name: 'read-at-the-own-index',
    broken: 'a server answers reads from what it has executed itself, though the leader has decided more',
    edits: [
      {
        file: 'protocol/reads.js',
        replace: 'index: Math.max(index, last?.index ?? 0)',
        by: 'index: 0',
      },
    ],
  },
  {
    name: 'read-index-without-the-proposals',
    broken: 'a new leader names an index below what it has to propose again',
    test: 'paxos/protocol/reads.test',
    edits: [{ file: 'protocol/leadership.js', replace: 'Math.max(known, this.#leader.lastProposal)', by: 'known' }],
  },
  {
    name: 'late-answer-confirms',
    broken: 'an answer to an earlier heartbeat counts for reads that came after it',
    test: 'paxos/protocol/reads.test',
    edits: [
      {
        file: 'protocol/read-index.js',
        replace: 'round === undefined || heartbeat < round.heartbeat',
        by: 'round === undefined',
      },
    ],
  },
  {
    name: 'answer-of-a-former-ballot-confirms',
    broken: 'an answer to a heartbeat of a former ballot of this leader’s counts for reads',
    test: 'paxos/protocol/reads.test',
    edits: [
      {
        file: 'protocol/leadership.js',
        replace: '!this.active || !sameBallot(ballot, this.#leader.ballot)',
        by: '!this.active',
      },
    ],
  },
  {
    name: 'read-amid-an-installation',
    broken: 'reads may be answered while a snapshot takes the state’s place',
    test: 'paxos/protocol/reads.test',
    edits: [{ file: 'protocol/paxos.js', replace: 'if (!this.#replica.isSuspended)', by: '' }],
  },
  {
    name: 'read-tells-another-slot',
    broken: 'an answer to a read names the slot behind the one that it was read after',
    edits: [
      {
        file: 'server/reads.js',
        replace: 'asker.answer(slot, {',
        by: 'asker.answer(slot + 1, {',
      },
    ],
  },
  {
    name: 'lease-not-kept',
    broken: 'an acceptor that granted a lease adopts another server’s ballot',
    test: 'paxos/protocol/leader-lease.test',
    edits: [
      {
        file: 'protocol/voter.js',
        replace: ' || this.#hold.refuses(message.ballot.server, now)',
        by: '',
      },
      { file: 'protocol/voter.js', replace: 'return this.#hold.refuses(server, now);', by: 'return false;' },
    ],
  },
  {
    name: 'lease-forgotten-on-restart',
    broken: 'a server that is started again knows nothing of the lease that it granted',
    test: 'paxos/protocol/leader-lease.test',
    edits: [{ file: 'protocol/voter.js', replace: 'this.#hold.begin(now);', by: '' }],
  },
  {
    name: 'lease-counts-from-the-answer',
    broken: 'a leader counts its lease from the moment in which the answer came',
    test: 'paxos/protocol/leader-lease.test',
    edits: [
      {
        file: 'protocol/leader-lease.js',
        replace: 'Math.max(sent, this.#granted.get(from) ?? sent)',
        by: 'now',
      },
    ],
  },
  {
    name: 'lease-ignores-drift',
    broken: 'a leader trusts in its clock for the whole of a lease',
    test: 'paxos/protocol/leader-lease.test',
    edits: [
      {
        file: 'protocol/leader-lease.js',
        replace: '(lease * (1 - drift)) / (1 + drift)',
        by: 'lease',
      },
    ],
  },
  {
    name: 'lease-outlives-the-leadership',
    broken: 'a leader that steps down goes on to answer reads under its lease',
    test: 'paxos/protocol/leader-lease.test',
    edits: [
      { file: 'protocol/leadership.js', replace: 'this.#lease.drop();', by: '' },
      {
        file: 'protocol/leadership.js',
        replace: 'if (!this.active)\n            return; // it will ask whoever leads',
        by: '',
      },
    ],
  },
]
