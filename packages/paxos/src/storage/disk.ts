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
  /** Opens a file to be read in pieces. It stays readable when it is removed, or another one takes its name. */
  openReader(name: string): Promise<DiskReader>
  /** Opens an existing file to be written on, as a `bulk` one. */
  openWriter(name: string): Promise<DiskFile>
  /** Makes a new, empty file; it must not be there (EEXIST). */
  create(name: string, use?: FileUse): Promise<DiskFile>
  /** Atomic, over an older file of that name too. Durable after {@link syncDirectory}. */
  rename(from: string, to: string): Promise<void>
  remove(name: string): Promise<void>
  /** Makes the creations, renames and removals so far durable. */
  syncDirectory(): Promise<void>
  /** Releases the lock. */
  close(): Promise<void>
}

/**
 * What a new file is for. Both keep to the contract of {@link DiskFile}; they differ in what is cheap.
 * - `log` (if nothing is said): {@link DiskFile.writeDurably} is one trip to the disk, and so is every other write.
 * - `bulk`: many writes, which a {@link DiskFile.sync} now and then makes durable together.
 */
export type FileUse = 'log' | 'bulk'

/** A file that is open for reading. */
export interface DiskReader {
  /** Bytes of the file when it was opened. */
  readonly size: number
  /** The bytes at the position: fewer than `length` only at the end of the file. They belong to the caller. */
  read(position: number, length: number): Promise<Uint8Array>
  close(): Promise<void>
}

/** An open file, written at positions. The bytes of a write must not change until it resolved. */
export interface DiskFile {
  /**
   * Writes all bytes at the position. May be lost by a crash until {@link sync}, in any part and any order. If it fails,
   * any part of it may have been written.
   */
  write(bytes: Uint8Array, position: number): Promise<void>
  /** Writes all bytes at the position, and makes them durable; of no earlier {@link write} is that said. */
  writeDurably(bytes: Uint8Array, position: number): Promise<void>
  /** Makes every earlier write to the file durable. */
  sync(): Promise<void>
  close(): Promise<void>
}
