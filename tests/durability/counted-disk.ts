/**
 * Tells of every byte of a log that the disk of this process has made durable: to be imported before anything else. What is
 * replaced are Node's own calls, below all of Synod's code. A write is durable when it has ended on a file that was opened with
 * O_DSYNC, and else when a sync that began after it has ended.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

type Callback = (error: NodeJS.ErrnoException | null, result?: unknown) => void
type Call = (...args: unknown[]) => void

/** A log's file that is open. */
interface OpenFile {
  readonly path: string
  readonly isSynchronous: boolean
  /** Written, and not durable yet. */
  pending: Uint8Array[]
}

const files = new Map<number, OpenFile>()
let listener: (path: string, bytes: Uint8Array) => void = () => undefined

/** Each time that bytes of a log file have become durable. */
export function whenDurable(call: (path: string, bytes: Uint8Array) => void): void {
  listener = call
}

const original = { open: fs.open, write: fs.write, fdatasync: fs.fdatasync, close: fs.close } as Record<string, unknown>

function call(name: string, args: readonly unknown[], done: (result: unknown) => void): void {
  const callback = args.at(-1) as Callback
  const told: Callback = (error, result) => {
    if (error === null) done(result)
    callback(error, result)
  }
  ;(original[name] as Call)(...args.slice(0, -1), told)
}

function open(...args: unknown[]): void {
  const [path, flags] = [String(args[0]), Number(args[1])]
  call('open', args, (descriptor) => {
    if (path.includes('.paxos'))
      files.set(descriptor as number, { path, isSynchronous: (flags & fs.constants.O_DSYNC) !== 0, pending: [] })
  })
}

function write(...args: unknown[]): void {
  const [descriptor, bytes, offset] = args as [number, Uint8Array, number]
  const file = files.get(descriptor)
  call('write', args, (written) => {
    const part = bytes.slice(offset, offset + (written as number))
    if (file?.isSynchronous === true) listener(file.path, part)
    else file?.pending.push(part)
  })
}

function fdatasync(...args: unknown[]): void {
  const file = files.get(args[0] as number)
  const before = file?.pending ?? []
  if (file !== undefined) file.pending = []
  call('fdatasync', args, () => {
    for (const bytes of before) listener(file?.path ?? '', bytes)
  })
}

function close(...args: unknown[]): void {
  files.delete(args[0] as number)
  ;(original['close'] as Call)(...args)
}

Object.assign(fs, { open, write, fdatasync, close })
syncBuiltinESMExports()
