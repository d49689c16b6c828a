/** What is durable on one server's disk, as its storage said; and what of it a start may fail to find. */
import type { Ballot, ServerId } from '@synod/paxos/internal/protocol/ballot'
import { BOTTOM, compareBallots, sameBallot, showBallot } from '@synod/paxos/internal/protocol/ballot'
import type { Run, Slot } from '@synod/paxos/internal/protocol/command'
import { lastSlot } from '@synod/paxos/internal/protocol/command'
import type { Lives } from '@synod/paxos/internal/protocol/message'
import type { StoredRecord } from '@synod/paxos/internal/storage/storage'
import { lifeIn } from './votes.js'

/** What must be kept: all but hints, and what can be had from others. */
type Kept = Extract<StoredRecord, { type: 'promise' | 'accept' | 'base' | 'lives' | 'repairing' | 'repaired' }>

interface Entry {
  readonly record: Kept
  /** The number of the batch that holds it; of what an earlier start found, one below the seal that followed. */
  readonly batch: number
}

/** Something that is gone. */
export interface Loss {
  readonly what: string
  readonly batch: number
}

export class DurableLog {
  readonly #server: ServerId
  #entries: Entry[] = []
  #promised: Ballot = BOTTOM
  #collected: Slot = 0
  #lives: number[] = []
  #repairing = false
  #decided: Slot = 1

  constructor(server: ServerId) {
    this.#server = server
  }

  /** The highest ballot that was promised, or voted at. */
  get promised(): Ballot {
    return this.#promised
  }

  /** The log at or below this slot may be gone: a snapshot holds it. */
  get collected(): Slot {
    return this.#collected
  }

  /** The lives of all servers, its own included, as it knows them. */
  get lives(): Lives {
    return this.#lives
  }

  /** It lost its votes, and was not repaired yet. */
  get repairing(): boolean {
    return this.#repairing
  }

  /** Every slot below it is in the log as decided. */
  get decided(): Slot {
    return this.#decided
  }

  /** The runs that were accepted, and are not collected. */
  get runs(): Run[] {
    return this.#entries.flatMap(({ record }) => (record.type === 'accept' ? [record.run] : []))
  }

  /** Adds a record; some are nothing that must be kept. */
  add(record: StoredRecord, batch: number): void {
    if (record.type === 'decide') this.#decided = Math.max(this.#decided, record.decided)
    if (record.type === 'learn') this.#decided = Math.max(this.#decided, record.first + record.commands.length)
    if (!isKept(record)) return
    this.#entries.push({ record, batch })
    const ballot = ballotOf(record)
    if (compareBallots(ballot, this.#promised) > 0) this.#promised = ballot
    if (record.type === 'base') this.#collect(record.collected)
    if (record.type === 'base' || record.type === 'lives') this.#know(record.lives)
    if (record.type === 'repairing') this.#repairing = true
    if (record.type !== 'repaired') return
    this.#repairing = false
    this.#know(Array.from({ length: this.#server + 1 }, (_, id) => (id === this.#server ? record.life : 0)))
  }

  /** The first thing that was durable and is not among these records; null if all is there. */
  firstLoss(records: readonly StoredRecord[]): Loss | null {
    const found = new DurableLog(this.#server)
    for (const record of records) found.add(record, 0)
    const votes = votesOf(records)
    for (const { record, batch } of this.#entries) {
      const forgets = record.type === 'repairing' && this.#repairing && !found.#repairing
      const what = forgets ? 'that it must not vote' : found.#lacks(record, votes)
      if (what !== null) return { what, batch }
    }
    return null
  }

  /** What of a record this log does not say, as a few words; null if it says all. */
  #lacks(record: Kept, votes: ReadonlyMap<Slot, readonly Ballot[]>): string | null {
    const ballot = ballotOf(record)
    if (compareBallots(ballot, this.#promised) > 0) return `its promise of ${showBallot(ballot)}`
    switch (record.type) {
      case 'accept': {
        const slot = missing(record.run, Math.max(record.run.first, this.#collected + 1), votes)
        return slot === null ? null : `what it accepted at ${showBallot(ballot)} in slot ${slot}`
      }
      case 'base':
        if (record.collected > this.#collected) return `that its log is collected through slot ${record.collected}`
        return this.#lacksLives(record.lives)
      case 'lives':
        return this.#lacksLives(record.lives)
      case 'repairing':
        return null
      case 'repaired':
        return !this.#repairing && lifeIn(this.#lives, this.#server) >= record.life
          ? null
          : `that it is in life ${record.life}`
      case 'promise':
        return null
    }
  }

  #lacksLives(lives: Lives): string | null {
    const server = lives.findIndex((life, other) => life > lifeIn(this.#lives, other))
    return server < 0 ? null : `that server ${server} is in life ${lives[server] ?? 0}`
  }

  /** What a snapshot holds need not be in the log any more. */
  #collect(through: Slot): void {
    this.#collected = Math.max(this.#collected, through)
    this.#entries = this.#entries.filter(
      ({ record }) => record.type !== 'accept' || lastSlot(record.run) > this.#collected,
    )
  }

  #know(lives: Lives): void {
    for (const [server, life] of lives.entries()) {
      while (this.#lives.length < server) this.#lives.push(0)
      this.#lives[server] = Math.max(life, lifeIn(this.#lives, server))
    }
  }
}

const KEPT: readonly StoredRecord['type'][] = ['promise', 'accept', 'base', 'lives', 'repairing', 'repaired']

function isKept(record: StoredRecord): record is Kept {
  return KEPT.includes(record.type)
}

function ballotOf(record: Kept): Ballot {
  if (record.type === 'promise' || record.type === 'base') return record.ballot
  return record.type === 'accept' ? record.run.ballot : BOTTOM
}

function votesOf(records: readonly StoredRecord[]): Map<Slot, Ballot[]> {
  const votes = new Map<Slot, Ballot[]>()
  for (const record of records) {
    if (record.type !== 'accept') continue
    for (let slot = record.run.first; slot <= lastSlot(record.run); slot++) {
      const ballots = votes.get(slot)
      if (ballots === undefined) votes.set(slot, [record.run.ballot])
      else ballots.push(record.run.ballot)
    }
  }
  return votes
}

/** The first slot of the run, from one on, that is not among the votes at its ballot. */
function missing(run: Run, from: Slot, votes: ReadonlyMap<Slot, readonly Ballot[]>): Slot | null {
  for (let slot = from; slot <= lastSlot(run); slot++)
    if (votes.get(slot)?.some((ballot) => sameBallot(ballot, run.ballot)) !== true) return slot
  return null
}
