/**
 * A map by numbers of which those in use lie near each other, as the numbers of one session's commands do.
 *
 * A `Map` of which entries come and go is dear to V8's collector. Whenever it makes itself a new table, it links the old one to
 * it; once one of these has grown old, it keeps its successor alive, with all that is in it, and that one the next. So
 * everything that passes through is moved to the old generation, and is only found to be garbage there.
 */

/** Places at first. */
const FEW = 4
/** There are at most so many places for each number: memory follows how many there are, not how far apart they lie. */
const SPARSE = 16
/** An empty table with more places than this has so many from then on. */
const SPARE = 64

const NONE = -1

export class ByNumber<Value> {
  /** By place: the lowest bits of a number are its place. As many as a power of two. */
  #numbers = new Array<number>(FEW).fill(NONE)
  #values = new Array<Value | undefined>(FEW).fill(undefined)
  /** Those whose place another one has, when there may be no more places. */
  #others: Map<number, Value> | undefined
  #size = 0

  copy(): ByNumber<Value> {
    const copy = new ByNumber<Value>()
    copy.#numbers = this.#numbers.slice()
    copy.#values = this.#values.slice()
    copy.#others = this.#others === undefined ? undefined : new Map(this.#others)
    copy.#size = this.#size
    return copy
  }

  get size(): number {
    return this.#size
  }

  /** @param number an integer, 0 or more, as everywhere here */
  get(number: number): Value | undefined {
    const place = number & (this.#numbers.length - 1)
    return this.#numbers[place] === number ? this.#values[place] : this.#others?.get(number)
  }

  has(number: number): boolean {
    return this.#numbers[number & (this.#numbers.length - 1)] === number || this.#others?.has(number) === true
  }

  set(number: number, value: Value): void {
    const isNew = !this.has(number)
    if (isNew) this.#size++
    while (!this.#hasPlaceFor(number) && this.#numbers.length < SPARSE * this.#size)
      this.#resize(this.#numbers.length * 2)
    if (!this.#hasPlaceFor(number) || (!isNew && this.#others?.has(number) === true)) {
      this.#others ??= new Map()
      this.#others.set(number, value)
      return
    }
    const place = number & (this.#numbers.length - 1)
    this.#numbers[place] = number
    this.#values[place] = value
  }

  /** Removes it; whether it was there. */
  delete(number: number): boolean {
    const place = number & (this.#numbers.length - 1)
    if (this.#numbers[place] === number) {
      this.#numbers[place] = NONE
      this.#values[place] = undefined
    } else if (this.#others?.delete(number) !== true) return false
    this.#size--
    if (this.#size === 0 && this.#numbers.length > SPARE) this.#resize(SPARE)
    return true
  }

  clear(): void {
    this.#others = undefined
    this.#size = 0
    this.#resize(FEW)
  }

  /** All that is in it, by ascending numbers; as it is now, whatever happens meanwhile. */
  entries(): [number: number, value: Value][] {
    const entries: [number, Value][] = this.#others === undefined ? [] : [...this.#others]
    for (const [place, number] of this.#numbers.entries())
      if (number !== NONE) entries.push([number, this.#values[place] as Value])
    return entries.sort(([a], [b]) => a - b)
  }

  #hasPlaceFor(number: number): boolean {
    const there = this.#numbers[number & (this.#numbers.length - 1)]
    return there === NONE || there === number
  }

  /** To fewer places only when it is empty: so no two numbers come to have one. */
  #resize(length: number): void {
    const [numbers, values] = [this.#numbers, this.#values]
    this.#numbers = new Array<number>(length).fill(NONE)
    this.#values = new Array<undefined>(length).fill(undefined)
    if (this.#size === 0) return
    for (let at = 0; at < numbers.length; at++) {
      const number = numbers[at] ?? NONE
      if (number === NONE) continue
      const place = number & (length - 1)
      this.#numbers[place] = number
      this.#values[place] = values[at]
    }
  }
}
