/** `transfer`: another server comes to lead. */
import type { CallOptions } from '@synod/paxos'
import type { Command } from 'commander'
import { serverNumber } from './arguments.js'
import { orCancelled } from './cancel.js'
import { EXIT_DONE } from './exit.js'
import { print } from './output.js'

const NOTES = `
Nothing is lost, and nobody sees more of it than a short wait. Ends with 1 if the server
cannot take over now, and says why.`

/** Adds the command `transfer`; `run` is to call {@link transfer}, with a client. */
export function addTransfer(program: Command, run: (to: number) => Promise<void>): void {
  program
    .command('transfer')
    .argument('<id>', 'the number of the server that is to lead', serverNumber)
    .description('hand leadership over to a server')
    .addHelpText('after', NOTES)
    .action(run)
}

/** Prints who leads then. JSON: `{"leader"}`. */
export async function transfer(
  client: { transfer(to: number, options?: CallOptions): Promise<void> },
  to: number,
  {
    json = false,
    signal = new AbortController().signal,
  }: { readonly json?: boolean; readonly signal?: AbortSignal } = {},
): Promise<number> {
  await orCancelled({ signal }, client.transfer(to))
  await print(json ? JSON.stringify({ leader: to }) : `server ${to} leads`)
  return EXIT_DONE
}
