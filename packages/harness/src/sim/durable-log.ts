/** What is durable on one server's disk, as its storage said; and what of it a start may fail to find. */
import type { Ballot } from '@synod/paxos/internal/protocol/ballot'
import { BOTTOM, compareBallots, sameBallot, showBallot } from '@synod/paxos/internal/protocol/ballot'
import type { Run, Slot } from '@synod/paxos/internal/protocol/command'
import { lastSlot } from '@synod/paxos/internal/protocol/command'
import type { StoredRecord } from '@synod/paxos/internal/storage/storage'

type Kept = Extract<StoredRecord, { type: 'promise' | 'accept' }>

interface Entry {
  readonly record: Kept
  /** The number of the batch that holds it; of what an earlier start found, one below the seal that followed. */
  readonly batch: number
}

/** A promise or a vote that is gone. */
export interface Loss {
  readonly what: string
  readonly batch: number
}

export class DurableLog {
  readonly #entries: Entry[] = []
  #promised: Ballot = BOTTOM

  /** The highest ballot that was promised, or voted at. */
  get promised(): Ballot {
    return this.#promised
  }

  /** Adds a promise or a vote; other records are nothing that must be kept. */
  add(record: StoredRecord, batch: number): void {
    if (record.type !== 'promise' && record.type !== 'accept') return
    this.#entries.push({ record, batch })
    const ballot = ballotOf(record)
    if (compareBallots(ballot, this.#promised) > 0) this.#promised = ballot
  }

  /** The first thing that was durable and is not among these records; null if all is there. */
  firstLoss(records: readonly StoredRecord[]): Loss | null {
    const found = new DurableLog()
    for (const record of records) found.add(record, 0)
    const votes = votesOf(records)
    for (const { record, batch } of this.#entries) {
      if (compareBallots(ballotOf(record), found.promised) > 0)
        return { what: `its promise of ${showBallot(ballotOf(record))}`, batch }
      const slot = record.type === 'accept' ? missing(record.run, votes) : null
      if (slot !== null) return { what: `what it accepted at ${showBallot(ballotOf(record))} in slot ${slot}`, batch }
    }
    return null
  }
}

function ballotOf(record: Kept): Ballot {
  return record.type === 'promise' ? record.ballot : record.run.ballot
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

/** The first slot of the run that is not among the votes at its ballot. */
function missing(run: Run, votes: ReadonlyMap<Slot, readonly Ballot[]>): Slot | null {
  for (let slot = run.first; slot <= lastSlot(run); slot++)
    if (votes.get(slot)?.some((ballot) => sameBallot(ballot, run.ballot)) !== true) return slot
  return null
}
