/** What a check found. The message names the rule. */
export class Violation extends Error {
  constructor(
    readonly rule: string,
    detail: string,
  ) {
    super(`${rule}: ${detail}`)
    this.name = 'Violation'
  }
}
