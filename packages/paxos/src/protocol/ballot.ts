/**
 * Ballots: totally ordered, and never used twice.
 *
 * The paper's ballot is ⟨round, leader⟩ (section 2.2). Ours adds `start`, which the host draws anew at every start of
 * the process: a leader that crashed before its own promise was durable has forgotten its round, and could otherwise
 * propose two values at one ballot.
 */

/** A server's number: 0 … N−1. */
export type ServerId = number

/** ⟨round, server, start⟩, ordered in that order. */
export interface Ballot {
  readonly round: number
  readonly server: ServerId
  readonly start: number
}

/** The ballot below every leader's: what an acceptor has adopted before it adopts any. */
export const BOTTOM: Ballot = { round: 0, server: 0, start: 0 }

/** Negative if a < b, zero if they are the same ballot, positive if a > b. */
export function compareBallots(a: Ballot, b: Ballot): number {
  return a.round - b.round || a.server - b.server || a.start - b.start
}

export function sameBallot(a: Ballot, b: Ballot): boolean {
  return a.round === b.round && a.server === b.server && a.start === b.start
}

/** `7.2`: round 7 of server 2 (the start is left out, for the eye). */
export function showBallot(ballot: Ballot): string {
  return `${ballot.round}.${ballot.server}`
}

/** The higher of two ballots. */
export function higher(a: Ballot, b: Ballot): Ballot {
  return compareBallots(a, b) >= 0 ? a : b
}
