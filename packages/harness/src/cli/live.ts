/** Shows a run while it goes on: on a terminal a bar in the last line, and with -v lines that stay. */
import { MultiBar, Presets, type SingleBar } from 'cli-progress'
import type { HistoryEvent } from '../history/history.js'
import { isAnswer } from '../run/recorder.js'
import type { Observer } from '../run/run.js'
import type { Scenario, Step } from '../scenario/schema.js'

const FORMAT = '{bar} step {value} of {total}: {step}   {ok} ok, {fail} failed, {info} unknown   {seconds} s'
/** Between two drawings when nothing happens (ms). */
const TICK = 500
/** Characters of a line; values may be long. */
const WIDEST = 1_000

type Output = NodeJS.WritableStream & { readonly isTTY?: boolean }

export class Live implements Observer {
  readonly #started = performance.now()
  readonly #verbosity: number
  readonly #output: Output
  readonly #bars: MultiBar | undefined
  readonly #bar: SingleBar | undefined
  readonly #timer: NodeJS.Timeout | undefined
  readonly #counts = { ok: 0, fail: 0, info: 0 }
  #step = ''

  /** @param verbosity 1: steps and what was not done; 2: operations too */
  constructor(scenario: Scenario, verbosity: number, output: Output = process.stderr) {
    this.#verbosity = verbosity
    this.#output = output
    if (output.isTTY !== true) return
    this.#bars = new MultiBar(
      { stream: output, format: FORMAT, barsize: 16, linewrap: true, forceRedraw: true, clearOnComplete: true },
      Presets.shades_classic,
    )
    this.#bar = this.#bars.create(scenario.steps.length, 0, this.#payload())
    this.#timer = setInterval(() => {
      this.#draw()
    }, TICK)
    this.#timer.unref()
  }

  step(number: number, step: Step): void {
    this.#step = step.type
    if (this.#verbosity >= 1) this.#line(`step ${number} ${JSON.stringify(step)}`)
    this.#bar?.update(number, this.#payload())
  }

  note(line: string): void {
    if (this.#verbosity >= 1) this.#line(line)
  }

  event(event: HistoryEvent): void {
    if (event.type !== 'invoke') this.#counts[isAnswer(event) ? 'ok' : event.type]++
    if (this.#verbosity >= 2) this.#line(JSON.stringify(event))
    this.#draw()
  }

  /** Takes the bar away. */
  end(): void {
    clearInterval(this.#timer)
    this.#bars?.stop()
  }

  #draw(): void {
    this.#bar?.update(this.#payload())
  }

  #payload(): Record<string, unknown> {
    return { ...this.#counts, step: this.#step, seconds: this.#seconds().toFixed(0) }
  }

  #line(text: string): void {
    const short = text.length > WIDEST ? `${text.slice(0, WIDEST)}…` : text
    const line = `${this.#seconds().toFixed(3).padStart(8)} ${short}\n`
    if (this.#bars?.isActive) {
      this.#bars.log(line)
      this.#bars.update()
    } else {
      this.#output.write(line)
    }
  }

  #seconds(): number {
    return (performance.now() - this.#started) / 1000
  }
}
