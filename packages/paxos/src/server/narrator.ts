/** What a server's command says, a line at a time, while there is something to wait for: a long start, other servers, a repair. */
import type { Cancel, Clock } from '../clock.js'
import type { ServerStatus } from '../transport/wire.js'
import { nameServers } from './addresses.js'
import type { RunningServer, StartingServer } from './serve.js'

/** A server that still reads its directory says so this often (ms). */
const READING = 2_000
/** One that does not serve after this time (ms) says once for whom it waits. */
const PATIENCE = 5_000
/** Of a repair there may be news this often (ms). */
const REPAIRING = 1_000

type Running = Pick<RunningServer, 'count' | 'missing' | 'serving' | 'repaired' | 'status'>

export class Narrator {
  readonly #clock: Clock
  readonly #say: (line: string) => void
  #stopped = false
  /** Of what waits for its time. */
  readonly #cancels = new Set<Cancel>()

  /** @param say takes a line without its end, and puts before it who says it */
  constructor(clock: Clock, say: (line: string) => void) {
    this.#clock = clock
    this.#say = (line) => {
      if (!this.#stopped) say(line)
    }
  }

  /** Tells how far a start is, as long as it takes; gives what it comes to. */
  async start<Started>(
    starting: Pick<StartingServer, 'progress'> & { readonly running: Promise<Started> },
  ): Promise<Started> {
    const stop = this.#every(READING, () => {
      this.#say(`starts: ${Math.floor(starting.progress * 100)} % of its directory is read`)
    })
    try {
      return await starting.running
    } finally {
      stop()
    }
  }

  /** Tells for whom the server waits, how its repair goes, if there is one, and when it serves: at `address`. */
  run(server: Running, address: string): void {
    const quiet = this.#after(PATIENCE, () => {
      if (server.missing.length > 0) this.#say(`still waits for ${nameServers(server.missing)}; -vv tells why`)
    })
    const stop = this.#tellRepair(server)
    void server.repaired.then(() => {
      stop()
      this.#say(`is repaired, and votes again (life ${server.status().life})`)
    })
    void server.serving.then(async () => {
      quiet()
      if (server.status().role === 'repairing') await server.repaired
      else stop()
      this.#say(`serves; see http://${address}`)
    })
  }

  /** Nothing more is said. */
  stop(): void {
    this.#stopped = true
    for (const cancel of this.#cancels) cancel()
  }

  /** Says what is new of a repair, until it is cancelled. */
  #tellRepair({ status, count }: Running): Cancel {
    let told: string | null = null
    const tell = (): void => {
      const stage = repairStage(status(), count)
      if (stage !== null && stage !== told) this.#say(`is being repaired: ${stage}`)
      told = stage
    }
    tell()
    return this.#every(REPAIRING, tell)
  }

  #every(ms: number, call: () => void): Cancel {
    let cancelled = false
    const again = (): Cancel =>
      this.#after(ms, () => {
        call()
        if (!cancelled) cancel = again()
      })
    let cancel = again()
    return () => {
      cancelled = true
      cancel()
    }
  }

  #after(ms: number, call: () => void): Cancel {
    if (this.#stopped) return () => undefined
    const cancel = this.#clock.after(ms, () => {
      this.#cancels.delete(cancel)
      call()
    })
    this.#cancels.add(cancel)
    return () => {
      this.#cancels.delete(cancel)
      cancel()
    }
  }
}

/** How far the repair of a server has come, a sentence's end; null if it is not being repaired. */
function repairStage({ id, role, connected, fetching }: ServerStatus, count: number): string | null {
  if (role !== 'repairing') return null
  const needed = Math.floor(count / 2) + 1
  if (connected.length < needed) {
    const others = Array.from({ length: count }, (_, server) => server).filter((server) => server !== id)
    const away = others.filter((server) => !connected.includes(server))
    return `it needs ${needed} of the others, and waits for ${nameServers(away)}`
  }
  if (fetching === null) return 'it asks the others for what it has lost'
  const tenths = fetching.bytes === 0 ? 0 : Math.floor((fetching.received / fetching.bytes) * 10)
  return `${tenths * 10} % of a snapshot has come from server ${fetching.from}`
}
