/** Deliberate bugs in feeds, in sessions and what their ends come to, and in the chatroom. */
import type { Mutant } from './mutant.js'

export const FEED_MUTANTS: readonly Mutant[] = [
  {
    name: 'feed-skips-on-reconnect',
    broken: 'a feed that goes on over another connection leaves a slot out',
    service: 'chatroom',
    edits: [
      {
        file: 'client/feeds.js',
        replace: 'from: entry.feed.from }',
        by: 'from: entry.feed.from === null || entry.feed.from < 2 ? entry.feed.from : entry.feed.from + 1 }',
      },
    ],
  },
  {
    name: 'feed-begins-late',
    broken: 'a feed begins one slot behind the one that it was to begin with',
    service: 'chatroom',
    edits: [
      {
        file: 'server/feeds.js',
        replace: 'Math.max(1, from ?? this.#source.next())',
        by: 'Math.max(1, from === null ? this.#source.next() : from + 1)',
      },
    ],
  },
  {
    name: 'events-again-on-a-retry',
    broken: 'a command that comes again is not executed again, but its events are emitted again',
    service: 'chatroom',
    edits: [
      {
        file: 'protocol/session.js',
        replace:
          'if (before !== undefined)\n            return before;\n        const result = machine.execute(slot, command.clientId, command.op, emit);',
        by: `const told = (session.told ??= new Map());
        if (before !== undefined) {
            for (const event of told.get(command.localId) ?? []) emit(event);
            return before;
        }
        const events = [];
        told.set(command.localId, events);
        const result = machine.execute(slot, command.clientId, command.op, (event) => { events.push(event); emit(event); });`,
      },
    ],
  },
  {
    name: 'end-not-told-to-every-state',
    broken: "a session's end is not told to the state of one of the servers",
    service: 'chatroom',
    edits: [
      {
        file: 'protocol/executor.js',
        replace: 'machine.ended(this.#slot, clientId, this.#emit);',
        by: 'if (watch.self !== 2) machine.ended(this.#slot, clientId, this.#emit);',
      },
      {
        file: 'protocol/paxos.js',
        replace: 'this.#replica = new Replica(config.id, config.limits, machine, {',
        by: 'this.#replica = new Replica(config.id, config.limits, machine, {\n            self: config.id,',
      },
    ],
  },
  {
    name: 'session-ended-before-it-is-decided',
    broken: 'a leader ends a session by its own clock, and only then has that decided',
    service: 'chatroom',
    edits: [
      {
        file: 'protocol/requests.js',
        replace: 'forwarded(commands) {',
        by: "forwarded(commands) {\n        for (const { kind, clientId } of commands) if (kind === 'end') this.executor.sessions.end(clientId);",
      },
      {
        file: 'protocol/replica.js',
        replace: 'this.#executor = new Executor(machine, watch);',
        by: 'this.#executor = this.requests.executor = new Executor(machine, watch);',
      },
    ],
  },
  {
    name: 'connected-clients-not-heard',
    broken: 'a leader does not hear of the clients of other servers, and ends their sessions',
    test: 'harness/run/feeds.test',
    edits: [
      {
        file: 'protocol/paxos.js',
        replace:
          'if (this.#leadership.leading)\n                    for (const clientId of message.clientIds)\n                        this.#leases.heard(clientId);',
        by: 'if (this.#leadership.leading && from === this.#config.id)\n                    for (const clientId of message.clientIds)\n                        this.#leases.heard(clientId);',
      },
    ],
  },
  {
    name: 'gone-and-still-here',
    broken: 'whose session ends stays in the rooms',
    service: 'chatroom',
    edits: [
      {
        of: 'chatroom',
        file: 'state.js',
        replace: 'for (const room of rooms)\n            this.#leave(clientId, room, emit);',
        by: ';',
      },
    ],
  },
  {
    name: 'deleted-message-edited',
    broken: 'a message that was deleted can be edited, and comes back',
    service: 'chatroom',
    edits: [
      { of: 'chatroom', file: 'state.js', replace: 'if (kept.message.deleted)', by: 'if (false)' },
      {
        of: 'chatroom',
        file: 'state.js',
        replace: '...message, text: op.text, edits',
        by: '...message, deleted: false, text: op.text, edits',
      },
    ],
  },
  {
    name: 'edit-not-told',
    broken: 'an edit is not told to those who listen',
    service: 'chatroom',
    edits: [
      {
        of: 'chatroom',
        file: 'state.js',
        replace: "emit({ type: 'changed',",
        by: "if (kept.message.deleted) emit({ type: 'changed',",
      },
    ],
  },
]
