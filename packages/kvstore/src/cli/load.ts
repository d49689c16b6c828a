/** `load FILE`: sets every pair of a file. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { SynodError } from '@synod/paxos'
import { EXIT_DONE, EXIT_USAGE, orCancelled, print, UsageError } from '@synod/terminal'
import { readLines, type InputLine } from './lines.js'
import { formatOf, MAX_LINE_BYTES, readPair, type Format } from './pairs.js'
import { Progress } from './progress.js'
import type { Session } from './session.js'
import { Window } from './window.js'

export interface LoadOptions {
  readonly format?: Format
  /** What to do after a bad line. */
  readonly onError: 'continue' | 'stop'
  /** How many pairs may be on their way at once. */
  readonly inFlight: number
}

/** Bytes of keys and values that may be on their way at once. */
const BYTES_IN_FLIGHT = 16 * 1_048_576

/**
 * `load FILE`: a bad line is named, and what the cluster does not take ends the load. Pairs with the same key are set in
 * the order of the file. JSON: `{"loaded","bad","bytes","ms","perSecond"}`, `bytes` those of the input;
 * and a line `{"error":{"code":"BAD_LINE","line","message"}}` on standard error for each bad line.
 */
export async function load(session: Session, file: string, options: LoadOptions): Promise<number> {
  if (file === '-' && session.inputTaken) {
    throw new UsageError('load - cannot read standard input, because the commands come from there; name a file')
  }
  const loader = new Loader(session, file, options, await sizeOf(file))
  const started = performance.now()
  try {
    await orCancelled(session, loader.run())
  } finally {
    loader.end()
    await report(session, loader, performance.now() - started)
  }
  return loader.bad > 0 ? EXIT_USAGE : EXIT_DONE
}

async function report(session: Session, { loaded, bad, bytes }: Loader, ms: number): Promise<void> {
  const perSecond = Math.round(loaded / Math.max(ms / 1000, 0.001))
  if (session.json) {
    await print(JSON.stringify({ loaded, bad, bytes, ms: Math.round(ms), perSecond }))
    return
  }
  const lines = bad === 0 ? '' : `; ${bad} bad line${bad === 1 ? '' : 's'}`
  await print(`loaded ${loaded} pairs in ${(ms / 1000).toFixed(1)} s, ${perSecond} a second${lines}`)
}

class Loader {
  loaded = 0
  bad = 0
  bytes = 0
  #failure: SynodError | undefined
  #format: Format | undefined
  readonly #window: Window
  readonly #progress: Progress

  constructor(
    private readonly session: Session,
    private readonly file: string,
    private readonly options: LoadOptions,
    total: number | undefined,
  ) {
    this.#format = options.format
    this.#window = new Window({ count: options.inFlight, bytes: BYTES_IN_FLIGHT })
    this.#progress = new Progress(total)
  }

  async run(): Promise<void> {
    try {
      for await (const lines of readLines(this.#chunks(), MAX_LINE_BYTES)) {
        if (!(await this.#takeAll(lines))) break
      }
    } catch (error) {
      // The file ended with an error; what was read before it is still to be waited for.
      this.#failure ??= new UsageError(`${this.file}: ${error instanceof Error ? error.message : String(error)}`)
    }
    await this.#window.drained()
    if (this.#failure !== undefined) throw this.#failure
  }

  end(): void {
    this.#progress.end()
  }

  async *#chunks(): AsyncGenerator<Buffer> {
    const stream = this.file === '-' ? process.stdin : createReadStream(this.file)
    let first = true
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      this.bytes += chunk.length
      yield first && chunk.subarray(0, 3).equals(BYTE_ORDER_MARK) ? chunk.subarray(3) : chunk
      first = false
    }
  }

  /** Answers whether the load goes on. */
  async #takeAll(lines: readonly InputLine[]): Promise<boolean> {
    for (const line of lines) {
      if (line.bytes?.length === 0) continue
      if (!(await this.#take(line))) return false
    }
    this.#progress.update(this.bytes, this.loaded)
    return true
  }

  async #take({ number, bytes }: InputLine): Promise<boolean> {
    this.#format ??= formatOf(this.file, bytes ?? Buffer.alloc(0))
    const pair = this.#read(number, bytes)
    if (pair === undefined) return this.options.onError === 'continue'
    const [key, value] = pair
    await this.#window.add(key, Buffer.byteLength(key) + Buffer.byteLength(value), () => this.#set(number, key, value))
    return this.#failure === undefined && !this.session.signal.aborted
  }

  #read(number: number, bytes: Buffer | null): readonly [string, string] | undefined {
    try {
      return readPair(bytes, this.#format ?? 'jsonl')
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      this.bad += 1
      this.#progress.note(this.#complaint(number, error.message))
      return undefined
    }
  }

  #complaint(line: number, message: string): string {
    if (this.session.json) return JSON.stringify({ error: { code: 'BAD_LINE', line, message } })
    return `${this.file === '-' ? 'standard input' : this.file}, line ${line}: ${message}.`
  }

  async #set(number: number, key: string, value: string): Promise<void> {
    if (this.#failure !== undefined) return
    try {
      await this.session.store.set(key, value)
      this.loaded += 1
    } catch (error) {
      if (!(error instanceof SynodError)) throw error
      this.#failure ??= new SynodError(error.code, `the load ended at line ${number}: ${error.message}`, error.data)
    }
  }
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/** Bytes of a plain file; undefined for what has no size. Throws {@link UsageError} for what cannot be read. */
async function sizeOf(file: string): Promise<number | undefined> {
  if (file === '-') return undefined
  try {
    const found = await stat(file)
    if (found.isDirectory()) throw new UsageError(`${file} is a directory; load reads a file`)
    return found.isFile() ? found.size : undefined
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`)
  }
}
