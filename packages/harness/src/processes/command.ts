/** The server under test, as a command. */
import { accessSync, constants, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SynodError } from '@synod/paxos'

/** A program and its first arguments; `--id`, `--peers` and `--data-dir` follow. */
export interface ServerCommand {
  readonly program: string
  readonly args: readonly string[]
}

/**
 * @param command `kvstore`, `chatroom`, or the path of a server command: a script for this Node (.js, .mjs, .cjs), or
 *   anything that can be executed
 * @throws SynodError `BAD_OPTION`
 */
export function serverCommand(command: string): ServerCommand {
  if (command === 'kvstore' || command === 'chatroom') return script(ownServer(command))
  const path = resolve(command)
  const isScript = /\.[cm]?js$/.test(path)
  try {
    accessSync(path, isScript ? constants.R_OK : constants.X_OK)
    if (statSync(path).isDirectory()) throw new Error('it is a directory')
  } catch {
    throw new SynodError(
      'BAD_OPTION',
      `--server: "${command}" is neither "kvstore" nor "chatroom" nor a file that can be ${isScript ? 'read' : 'executed'}`,
      { command },
    )
  }
  return isScript ? script(path) : { program: path, args: [] }
}

function script(path: string): ServerCommand {
  return { program: process.execPath, args: [path] }
}

function ownServer(name: 'kvstore' | 'chatroom'): string {
  return fileURLToPath(new URL(`../bin/${name}-server.js`, import.meta.resolve(`@synod/${name}`)))
}
