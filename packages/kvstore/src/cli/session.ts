/** What a command works with: a connection, and how the user wants the answers. */
import type { KvClient } from '../client.js'

export interface Session {
  readonly store: KvClient
  /** The addresses that were given. */
  readonly servers: readonly string[]
  /** How long an answer may take, in ms. */
  readonly timeout: number
  /** The same, if the user has said so: it holds then also for what takes a server long. */
  readonly givenTimeout: number | undefined
  /** Answers are for machines. */
  readonly json: boolean
  /** Standard input gives the commands, so that none of them may read it. */
  readonly inputTaken: boolean
  /** Aborted when the user presses Ctrl-C. */
  readonly signal: AbortSignal
}

/** A command's work; answers with the exit code. */
export type Action = (session: Session) => Promise<number>

/** Options of a call for which a server goes through its whole state. */
export function longOptions({ givenTimeout }: Session): { readonly timeout?: number } {
  return givenTimeout === undefined ? {} : { timeout: givenTimeout }
}
