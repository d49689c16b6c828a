/** What the harness orders the shim in a server's process to do, and how that answers (over the IPC channel). */

/** What a server's disk does until it is healed. */
export interface DiskFaults {
  /** The data directory may grow to so many bytes; null: there is room. */
  readonly capacity: number | null
  /** Synchronous writes that fail: none, the next one, or all. */
  readonly fsync: 'works' | 'fails once' | 'fails'
  /** ms that each operation takes more. */
  readonly slow: number
}

export const SOUND_DISK: DiskFaults = { capacity: null, fsync: 'works', slow: 0 }

/** The environment variable with the shim's {@link ShimStart}. */
export const SHIM_VARIABLE = 'SYNOD_HARNESS_SHIM'

export interface ShimStart {
  /** The data directory, the only one whose files have faults. */
  readonly directory: string
  readonly disk: DiskFaults
}

/** An order, answered by {@link Done} with its number. */
export interface Order {
  readonly order: number
  readonly disk: DiskFaults
  /** The clock jumps by so many ms. */
  readonly jump: number
}

/** The order was carried out; number 0: the shim is there. */
export interface Done {
  readonly done: number
}
