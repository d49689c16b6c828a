/** The options by which `simulate` and `fuzz` draw scenarios: with the same ones, a seed is the same scenario for both. */
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { MAX_SERVERS } from '@synod/paxos/internal/transport/wire'
import type { DrawOptions } from '../fuzz/draw.js'
import type { Fault } from '../scenario/schema.js'
import { FAULTS } from '../scenario/schema.js'
import { UsageError } from './usage.js'

export interface DrawFlags {
  readonly server: string
  readonly servers?: readonly number[]
  readonly faults?: readonly Fault[]
}

export function addDrawOptions(command: Command): Command {
  return command
    .option('--server <name>', 'kvstore or chatroom', 'kvstore')
    .option(
      '--servers <numbers>',
      'how many servers there may be: 3,5,7 (default: the seed chooses from 3 to 5)',
      sizes,
    )
    .option('--faults <kinds>', `only these kinds of fault (default: the seed chooses): ${FAULTS.join(', ')}`, faults)
}

/** Throws {@link UsageError} for a service that operations cannot be drawn for. */
export function drawOptions({ server, servers, faults }: DrawFlags): DrawOptions & { service: 'kvstore' | 'chatroom' } {
  if (server !== 'kvstore' && server !== 'chatroom')
    throw new UsageError(`--server ${server}: scenarios are drawn for kvstore and chatroom`)
  return { service: server, ...(servers !== undefined && { servers }), ...(faults !== undefined && { faults }) }
}

/** The same options, as they are typed. */
export function typed({ server, servers, faults }: DrawFlags): string {
  const words = server === 'kvstore' ? [] : ['--server', server]
  if (servers !== undefined) words.push('--servers', servers.join(','))
  if (faults !== undefined) words.push('--faults', faults.join(','))
  return words.map((word) => ` ${word}`).join('')
}

function sizes(text: string): number[] {
  return text.split(',').map((word) => {
    const size = /^\d{1,3}$/.test(word) ? Number(word) : 0
    if (size < 1 || size > MAX_SERVERS)
      throw new InvalidArgumentError(`Give numbers from 1 to ${MAX_SERVERS}, such as 3,5,7.`)
    return size
  })
}

function faults(text: string): Fault[] {
  return text.split(',').map((word) => {
    const kind = FAULTS.find((known) => known.toLowerCase() === word.toLowerCase())
    if (kind === undefined)
      throw new InvalidArgumentError(`There is no fault "${word}"; they are ${FAULTS.join(', ')}.`)
    return kind
  })
}
