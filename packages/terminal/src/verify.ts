/** `verify`: whether all servers have the same history and the same state, and if not, which of them, and since when. */
import type { CallOptions, Parting, Verification, VerifiedServer } from '@synod/paxos'
import Table from 'cli-table3'
import type { Command } from 'commander'
import { orCancelled } from './cancel.js'
import { EXIT_DONE, EXIT_NO } from './exit.js'
import { grouped } from './numbers.js'
import { print } from './output.js'

const NOTES = `
Servers that lag are waited for, a minute by default (--timeout). Ends with 1 unless all
servers answered, and all the same.`

/** Adds the command `verify`; `run` is to call {@link verify}, with a client. */
export function addVerify(program: Command, run: () => Promise<void>): void {
  program
    .command('verify')
    .description('compare all servers: whether they have the same history and the same state')
    .addHelpText('after', NOTES)
    .action(run)
}

export interface VerifyOptions {
  /** How long all of it may take, ms; by default a minute. */
  readonly timeout?: number | undefined
  /** The answer is for machines. */
  readonly json?: boolean
  /** Aborted when the user does not want to wait any longer. */
  readonly signal?: AbortSignal
  /** What the entries of the service's snapshot are called. */
  readonly entries?: string
}

/**
 * Prints a table, and what it comes to. JSON: `{"slot","agree","difference","parted","servers":[{"server","address",
 * "verdict","digest","parted","error"}]}`. Answers with the exit code: 1 unless every server answered, and all the same.
 */
export async function verify(
  client: { verify(options?: CallOptions): Promise<Verification> },
  { timeout, json = false, signal = new AbortController().signal, entries = 'entries' }: VerifyOptions = {},
): Promise<number> {
  const found = await orCancelled({ signal }, client.verify(timeout === undefined ? {} : { timeout }))
  const told = json
    ? JSON.stringify(jsonOf(found))
    : [table(found.servers, entries), '', ...conclusions(found)].join('\n')
  await print(told)
  return found.agree ? EXIT_DONE : EXIT_NO
}

function jsonOf({ slot, agree, difference, parted, servers }: Verification): unknown {
  const told = servers.map(({ error, ...server }) => ({ ...server, error: error?.message ?? null }))
  return { slot, agree, difference, parted, servers: told }
}

const VERDICTS: Readonly<Record<VerifiedServer['verdict'], string>> = {
  same: 'same',
  otherHistory: 'OTHER HISTORY',
  otherState: 'OTHER STATE',
  undecided: 'UNDECIDED',
  unknown: 'no answer',
}

function table(servers: readonly VerifiedServer[], counted: string): string {
  const rows = new Table({
    head: ['id', 'address', 'verdict', 'history', 'state', counted],
    colAligns: ['right', 'left', 'left', 'left', 'left', 'right'],
    style: { head: [], border: [], compact: true },
  })
  for (const { server, address, verdict, digest } of servers) {
    const { chain = '', state = '', entries } = digest ?? {}
    rows.push([server ?? '?', address, VERDICTS[verdict], chain, state, entries === undefined ? '' : grouped(entries)])
  }
  return rows.toString()
}

/** What the table comes to, a sentence a line. */
export function conclusions({ slot, agree, difference, servers }: Verification): string[] {
  const at = `at slot ${grouped(slot)}`
  const told = servers.filter(({ digest }) => digest !== null)
  const lines: string[] = []
  if (agree && servers.length === 1) lines.push(`The one server has nobody to differ from ${at}.`)
  else if (agree) lines.push(`All ${servers.length} servers agree ${at}.`)
  else if (told.length === 0) lines.push(`No server told what it came to ${at}.`)
  else if (difference === null)
    lines.push(`Those that answered agree ${at}: ${told.length} of ${servers.length} servers.`)
  else lines.push(`The servers DIFFER ${at}.`)
  lines.push(...servers.flatMap(aboutOne))
  if (servers.some(({ verdict }) => verdict === 'undecided'))
    lines.push('No majority of the servers has the same, so this does not tell who is right.')
  if (servers.some(({ verdict }) => verdict === 'otherState') || difference === 'state')
    lines.push('The same commands have led to other states: a service that is not deterministic, or bad memory.')
  return lines
}

function aboutOne({ server, address, verdict, parted, error }: VerifiedServer): string[] {
  const name = server === null ? address : `Server ${server}`
  if (error !== null) return [`${name} did not answer: ${error.message.replace(`${address}: `, '')}.`]
  if (verdict === 'otherState') return [`${name} has another state than a majority.`]
  if (verdict === 'otherHistory') return [`${name} has executed other commands than a majority${since(parted)}.`]
  return parted === null ? [] : [`${name} has executed other commands than others have${since(parted)}.`]
}

function since(parted: Parting | null): string {
  if (parted === null) return ''
  const [from, to] = [grouped(parted.from + 1), grouped(parted.to)]
  return from === to ? `, the first of them in slot ${to}` : `, the first of them in one of the slots ${from} to ${to}`
}
