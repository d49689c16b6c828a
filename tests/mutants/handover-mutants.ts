/** Deliberate bugs in handing leadership over, and in beginning to lead. */
import type { Mutant } from './mutant.js'

export const HANDOVER_MUTANTS: readonly Mutant[] = [
  {
    name: 'hands-over-to-who-is-behind',
    broken: 'a leader hands over to a successor that does not have all that is decided',
    test: 'paxos/protocol/handover.test',
    edits: [
      {
        file: 'protocol/leadership.js',
        replace: 'else if (this.#handover.told >= this.#beside.slotOut)',
        by: 'else',
      },
    ],
  },
  {
    name: 'hands-over-amid-its-proposals',
    broken: 'a leader steps down for its successor while what it proposed is not decided',
    test: 'paxos/protocol/handover.test',
    edits: [
      {
        file: 'protocol/leadership.js',
        replace: 'if (this.#handover === null || !this.active || this.#commanders.length > 0)',
        by: 'if (this.#handover === null || !this.active)',
      },
    ],
  },
  {
    name: 'leads-before-it-has-caught-up',
    broken: 'a new leader proposes before it has all that its quorum knows as decided',
    edits: [{ file: 'protocol/leader.js', replace: ' || slotOut < this.#catchUpTo', by: '' }],
  },
  {
    name: 'leads-on-after-it-has-handed-over',
    broken: 'a leader that has handed over goes on to lead, and keeps its lease',
    test: 'paxos/protocol/leader-lease.test',
    edits: [
      {
        file: 'protocol/leadership.js',
        replace: 'this.#retire(now, this.#handover.to);',
        by: "this.#out.send(this.#others, { type: 'stepDown', ballot: this.#leader.ballot, successor: this.#handover.to });",
      },
    ],
  },
  {
    name: 'late-farewell-begins-a-scout',
    broken: 'a server scouts at the farewell of a leader that it does not follow, if it is named in it',
    test: 'paxos/protocol/handover.test',
    edits: [
      {
        file: 'protocol/leadership.js',
        replace: 'if (!isFollowed || successor === null)',
        by: 'if (successor === null)',
      },
    ],
  },
  {
    name: 'late-farewell-ends-a-lease',
    broken: 'the farewell of a former leader frees an acceptor of the lease that it has granted the next one',
    test: 'paxos/protocol/leader-lease.test',
    edits: [{ file: 'protocol/leader-lease.js', replace: 'if (sameBallot(ballot, this.#holder))', by: '' }],
  },
]
