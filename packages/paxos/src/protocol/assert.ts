/** Invariants are checked in production too: a server with a broken one stops, rather than lies. */

/** The paper's invariants, by their names there: R1–R5 of replicas, A1–A5 of acceptors, C1 and C2 of commanders. */
export type Invariant = 'R1' | 'R2' | 'R3' | 'R4' | 'R5' | 'A1' | 'A2' | 'A3' | 'A4' | 'A5' | 'C1' | 'C2'

/** A broken invariant: the server must stop. */
export class InvariantError extends Error {
  readonly code = 'INVARIANT'
  constructor(
    readonly invariant: Invariant,
    detail: string,
  ) {
    super(`invariant ${invariant} is broken: ${detail}`)
    this.name = 'InvariantError'
  }
}

/** Throws {@link InvariantError} unless `condition` holds; `detail` is made only then. */
export function assert(condition: boolean, invariant: Invariant, detail: () => string): asserts condition {
  if (!condition) throw new InvariantError(invariant, detail())
}
