/** The line to the shim in one server's process (shim.ts). */
import type { ChildProcess } from 'node:child_process'
import type { DiskFaults, Done, Order } from './fault-orders.js'

/** A process that has not answered after this time (ms) has no shim. */
const PATIENCE = 10_000

export class ShimLine {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (done: boolean) => void>()
  readonly #ready: Promise<boolean>
  #orders = 0

  constructor(child: ChildProcess) {
    this.#child = child
    this.#ready = this.#done(0)
    child.on('message', (message) => this.#answered(message as Done))
    for (const end of ['disconnect', 'error', 'exit']) child.once(end, () => this.#end())
  }

  /**
   * Tells the shim what disk the server has from now on, and lets the clock jump by so many ms. False: there is no shim, or
   * the process ended.
   *
   * @param wait whether to wait until it is so
   */
  async order(disk: DiskFaults, jump: number, wait: boolean): Promise<boolean> {
    // What a process that is stopped is sent stays in the line until it goes on.
    if ((wait && !(await this.#ready)) || !this.#child.connected) return false
    const order: Order = { order: ++this.#orders, disk, jump }
    const done = wait ? this.#done(order.order) : true
    this.#child.send(order, () => undefined)
    return done
  }

  #done(order: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle(order, false), PATIENCE)
      this.#waiting.set(order, (done) => {
        clearTimeout(timer)
        resolve(done)
      })
    })
  }

  #answered(message: Partial<Done> | null): void {
    if (typeof message?.done === 'number') this.#settle(message.done, true)
  }

  #settle(order: number, done: boolean): void {
    this.#waiting.get(order)?.(done)
    this.#waiting.delete(order)
  }

  #end(): void {
    for (const order of this.#waiting.keys()) this.#settle(order, false)
  }
}
