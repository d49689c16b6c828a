/**
 * Deliberate bugs, to prove that the tests would find them. Each replaces one piece of the compiled code as it is
 * loaded, in a process of its own; the product has no switch for them.
 */

/** One piece of a compiled file. */
interface Edit {
  /** Below `packages/paxos/dist/`. */
  readonly file: string
  /** Must occur exactly once in that file. */
  readonly replace: string
  readonly by: string
}

export interface Mutant {
  readonly name: string
  /** What holds no more. */
  readonly breaks: string
  readonly edits: readonly Edit[]
  /** The test that must fail, below `tests/`; the simulator if left out. */
  readonly test?: string
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'vote-before-sync',
    breaks: 'promises and votes wait for the disk',
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
    breaks: 'a p2a that came twice is not answered while the record of the first is being written',
    edits: [
      {
        file: 'protocol/acceptor.js',
        replace: 'if (!this.#holds(run)) {',
        by: "if (this.#holds(run)) return out.send([from], { type: 'p2b', ballot: this.#ballot, first: run.first, last: lastSlot(run), decided })\n        {",
      },
    ],
  },
  {
    name: 'minority-decides',
    breaks: 'a quorum is a majority',
    edits: [
      {
        file: 'protocol/config.js',
        replace: 'return count * 2 > configuration.servers.length',
        by: 'return count * 2 >= configuration.servers.length - 1',
      },
    ],
  },
  {
    name: 'no-session-check',
    breaks: 'a command that was executed is not executed again',
    edits: [
      {
        file: 'protocol/session.js',
        replace: 'const known = outcome(session, command);\n        if (known !== undefined)',
        by: 'const known = outcome(session, command);\n        if (false)',
      },
    ],
  },
  {
    name: 'ballot-reused-after-a-restart',
    // Too rare for the simulator: a majority that answers a prescout knows the ballot that another majority adopted, so
    // the server must also come back before anybody else led, with a promise lost that took longer than the others'.
    breaks: 'no two lives of a server share a ballot',
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
    breaks: 'ballots are totally ordered',
    edits: [
      {
        file: 'protocol/ballot.js',
        replace: 'return a.round - b.round || a.server - b.server || a.start - b.start',
        by: 'return a.round - b.round',
      },
    ],
  },
]
