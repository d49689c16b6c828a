/** Operating errors: each has a stable code, says whether a command may have happened, and carries its data. */

/** What every error that a user meets is made from. */
export class SynodError extends Error {
  /**
   * @param code stable, for programs
   * @param message one sentence: what was wrong, where, and what to do
   * @param data the facts in the sentence, for programs
   */
  constructor(
    readonly code: string,
    message: string,
    readonly data: Readonly<Record<string, unknown>> = {},
  ) {
    super(message)
    this.name = 'SynodError'
  }
}
