/** What is wrong with a history, and where. */
import { SynodError } from '@synod/paxos'

/**
 * A history that makes no sense: `BAD_HISTORY`, with the line (from 1) and, where it is one field's fault, the field.
 */
export class MalformedHistory extends SynodError {
  constructor(line: number, what: string, field = '') {
    super('BAD_HISTORY', `line ${line}: ${field === '' ? '' : `${field}: `}${what}`, { line, field })
    this.name = 'MalformedHistory'
  }
}
