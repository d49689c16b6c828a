/**
 * Loaded into a server's process before anything else (`node --import`): gives it the disk and the clock that the harness
 * orders. The server knows nothing of it. Only the calls that `RealDisk` makes are replaced, and only for files of the data
 * directory; a directory's own fsync always works.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join, resolve, sep } from 'node:path'
import type { DiskFaults, Done, Order, ShimStart } from './fault-orders.js'
import { SHIM_VARIABLE } from './fault-orders.js'

type Callback = (error: NodeJS.ErrnoException | null, result?: unknown) => void
type Call = (...args: unknown[]) => void

const { directory, disk: initial } = JSON.parse(process.env[SHIM_VARIABLE] ?? '') as ShimStart
const home = resolve(directory) + sep
let disk: DiskFaults = initial

/** Open files of the data directory: whether each write to them is synchronous. */
const files = new Map<number, boolean>()

const original = { open: fs.open, write: fs.write, fdatasync: fs.fdatasync, fsync: fs.fsync, close: fs.close }
const { statSync, readdirSync, fstatSync, constants } = fs

function failure(code: string, text: string, syscall: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${text}, ${syscall}`), { code, syscall })
}

/** Whether a synchronous write fails now. */
function syncFails(): boolean {
  if (disk.fsync === 'works') return false
  if (disk.fsync === 'fails once') disk = { ...disk, fsync: 'works' }
  return true
}

/** Bytes of all files of the data directory. */
function used(): number {
  return readdirSync(home).reduce(
    (sum, name) => sum + (statSync(join(home, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  )
}

/** Whether a write up to this position of the file needs more room than there is. */
function isFull(descriptor: number, end: number): boolean {
  if (disk.capacity === null) return false
  const more = end - fstatSync(descriptor).size
  return more > 0 && used() + more > disk.capacity
}

/** Does it at once, or when a slow disk has got to it. */
function later(call: () => void): void {
  if (disk.slow > 0) setTimeout(call, disk.slow)
  else call()
}

function split(args: unknown[]): [unknown[], Callback] {
  return [args.slice(0, -1), args.at(-1) as Callback]
}

function open(...all: unknown[]): void {
  const [args, callback] = split(all)
  if (!resolve(String(args[0])).startsWith(home)) return (original.open as Call)(...all)
  const flags = Number(args[1])
  later(() =>
    (original.open as Call)(...args, (error: NodeJS.ErrnoException | null, descriptor: number) => {
      if (error === null) files.set(descriptor, (flags & constants.O_DSYNC) !== 0)
      callback(error, descriptor)
    }),
  )
}

/** Of the forms of `fs.write`, the one with offset, length and position; others pass untouched. */
function write(...all: unknown[]): void {
  const [[descriptor, bytes, offset, length, position], callback] = split(all)
  const isSynchronous = files.get(descriptor as number)
  if (isSynchronous === undefined || typeof position !== 'number') return (original.write as Call)(...all)
  later(() => {
    if (isSynchronous && syncFails()) callback(failure('EIO', 'i/o error', 'write'))
    else if (isFull(descriptor as number, position + (length as number)))
      callback(failure('ENOSPC', 'no space left on device', 'write'))
    else (original.write as Call)(descriptor, bytes, offset, length, position, callback)
  })
}

function sync(name: 'fdatasync' | 'fsync'): Call {
  return (descriptor, callback) => {
    if (!files.has(descriptor as number)) return (original[name] as Call)(descriptor, callback)
    later(() => {
      if (syncFails()) (callback as Callback)(failure('EIO', 'i/o error', name))
      else (original[name] as Call)(descriptor, callback)
    })
  }
}

function close(...all: unknown[]): void {
  files.delete(all[0] as number)
  ;(original.close as Call)(...all)
}

Object.assign(fs, { open, write, close, fdatasync: sync('fdatasync'), fsync: sync('fsync') })
syncBuiltinESMExports()

const now = performance.now.bind(performance)
let ahead = 0
Object.defineProperty(performance, 'now', { value: () => now() + ahead })

function say(message: Done): void {
  process.send?.(message, undefined, undefined, () => undefined)
}

process.on('message', (message: Order) => {
  disk = message.disk
  ahead += message.jump
  say({ done: message.order })
})
// The channel to the harness does not keep a server alive that has ended otherwise.
process.channel?.unref()
say({ done: 0 })
