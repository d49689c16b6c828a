/** What a deliberate bug is. */

/** One piece of a compiled file. */
export interface Edit {
  /** The package, if it is not paxos. */
  readonly of?: 'chatroom' | 'kvstore'
  /** Below its `dist/`. */
  readonly file: string
  /** Must occur exactly once in that file. */
  readonly replace: string
  readonly by: string
}

export interface Mutant {
  readonly name: string
  /** What is broken, as a sentence without its end. */
  readonly broken: string
  readonly edits: readonly Edit[]
  /** Whose seeds the fuzzer draws, if not the key-value store's. */
  readonly service?: 'chatroom'
  /** The test that must fail, below `tests/`, where that is not the fuzzer's to find. */
  readonly test?: string
}

/** The first two columns of its row in a table. */
export function rowOf({ name, broken }: Mutant): string {
  return `| ${name} | ${broken} |`
}
