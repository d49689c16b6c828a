/**
 * The few calls that touch a disk. Two implementations: the real one (real-disk.ts), and the simulator's, which crashes,
 * tears, rots, fills up and fails. One contract test suite holds for both.
 */

/** A directory of files with flat names. Errors are Node's (`code`: ENOENT, ENOSPC, EIO, EACCES …). */
export interface Disk {
  /** The directory's name, for people. */
  readonly directory: string
  /**
   * Makes the directory (and its parents) unless it is there, and takes the lock that the kernel drops with the process.
   * Fails with EADDRINUSE while another process has it.
   */
  open(): Promise<void>
  /** Names of the files, sorted. */
  list(): Promise<string[]>
  /** The file's whole content; the bytes belong to the caller. */
  read(name: string): Promise<Uint8Array>
  /** Makes a new, empty file; it must not be there (EEXIST). */
  create(name: string): Promise<DiskFile>
  /** Atomic, over an older file of that name too. Durable after {@link syncDirectory}. */
  rename(from: string, to: string): Promise<void>
  remove(name: string): Promise<void>
  /** Makes the creations, renames and removals so far durable. */
  syncDirectory(): Promise<void>
  /** Releases the lock. */
  close(): Promise<void>
}

/** An open file, written at positions. The bytes of a write must not change until it resolved. */
export interface DiskFile {
  /**
   * Writes all bytes at the position. May be lost by a crash until {@link sync}, in any part and any order. If it fails,
   * any part of it may have been written.
   */
  write(bytes: Uint8Array, position: number): Promise<void>
  /** Writes all bytes at the position, and makes them durable, but no earlier {@link write}. One trip to the disk. */
  writeDurably(bytes: Uint8Array, position: number): Promise<void>
  /** Makes every earlier write to the file durable. */
  sync(): Promise<void>
  close(): Promise<void>
}
