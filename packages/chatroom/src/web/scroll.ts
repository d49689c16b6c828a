/** Where in the room's messages the reader is: stays there whatever is added above or below, or at the end. */

/** So near to the end (px) counts as at the end. */
const AT_END = 24
/** So near to the first or the last of what there is (px) more is wanted. */
const NEAR = 800

export class Scroll {
  readonly #box: HTMLElement
  #atEnd = true
  #wasHeight = 0

  /**
   * @param hasEnd whether what is at the end of the box is the end, or more comes behind it
   * @param moved is called when the reader has moved, or the window has another size
   */
  constructor(box: HTMLElement, hasEnd: () => boolean, moved: () => void) {
    this.#box = box
    box.addEventListener(
      'scroll',
      () => {
        // When the window shrinks the browser scrolls, too: who was at the end stays there.
        if (box.clientHeight === this.#wasHeight) this.#atEnd = this.#distance <= AT_END && hasEnd()
        moved()
      },
      { passive: true },
    )
    new ResizeObserver(() => {
      this.#wasHeight = box.clientHeight
      if (this.#atEnd) this.toEnd()
      moved()
    }).observe(box)
  }

  /** Whether the latest message is seen. */
  get atEnd(): boolean {
    return this.#atEnd
  }

  get nearFirst(): boolean {
    return this.#box.scrollTop < NEAR
  }

  get nearLast(): boolean {
    return this.#distance < NEAR
  }

  /** Whether the end is more than a window away. */
  get isFar(): boolean {
    return this.#distance > this.#box.clientHeight
  }

  toEnd(): void {
    this.#atEnd = true
    this.#box.scrollTop = this.#box.scrollHeight
  }

  /** Makes a change; what is seen stays where it is, or the end is in sight as before. */
  keep(rows: HTMLElement, change: () => void): void {
    const anchor = this.#atEnd ? undefined : this.#firstSeen(rows)
    const before = anchor?.getBoundingClientRect().top ?? 0
    change()
    if (this.#atEnd) this.toEnd()
    else if (anchor?.isConnected) this.#box.scrollTop += anchor.getBoundingClientRect().top - before
  }

  get #distance(): number {
    return this.#box.scrollHeight - this.#box.clientHeight - this.#box.scrollTop
  }

  /** The first row that is in sight, by halving. */
  #firstSeen(rows: HTMLElement): Element | undefined {
    const { top } = this.#box.getBoundingClientRect()
    const all = rows.children
    let [low, high] = [0, all.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((all[middle]?.getBoundingClientRect().bottom ?? 0) <= top) low = middle + 1
      else high = middle
    }
    return all[low]
  }
}
