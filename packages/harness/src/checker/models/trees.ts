/** Arrays of one length, as binary trees whose equal parts are one: equal arrays are the same number. */

interface Level {
  readonly left: number[]
  readonly right: number[]
  /** Of a node's leaves, those that count. */
  readonly counts: number[]
  /** By the node's halves. */
  readonly nodes: Map<number, number>
}

/** Two numbers below this make one that is exact. */
const HALF = 2 ** 26

export class Trees {
  readonly #levels: readonly Level[]
  readonly #isCounted: (leaf: number) => boolean

  /**
   * @param size of each array, at least 1
   * @param isCounted which leaves {@link count} counts
   */
  constructor(size: number, isCounted: (leaf: number) => boolean) {
    const depth = size < 2 ? 0 : 32 - Math.clz32(size - 1)
    this.#levels = Array.from({ length: depth }, () => ({ left: [], right: [], counts: [], nodes: new Map() }))
    this.#isCounted = isCounted
  }

  /** The array of these leaves; what is missing at the end is `filler`. */
  of(leaves: readonly number[], filler: number): number {
    let row = Array.from({ length: 2 ** this.#levels.length }, (_, at) => leaves[at] ?? filler)
    for (let level = 0; level < this.#levels.length; level++) {
      const above: number[] = []
      for (let at = 0; at < row.length; at += 2) above.push(this.#node(level, row[at] ?? 0, row[at + 1] ?? 0))
      row = above
    }
    return row[0] ?? filler
  }

  get(root: number, index: number): number {
    let node = root
    for (let level = this.#levels.length - 1; level >= 0; level--) node = this.#half(level, node, (index >> level) & 1)
    return node
  }

  /** The array with another leaf there. */
  set(root: number, index: number, leaf: number): number {
    return this.#set(this.#levels.length - 1, root, index, leaf)
  }

  /** How many of the leaves from `from` to before `to` are counted. */
  count(root: number, from: number, to: number): number {
    return this.#count(this.#levels.length - 1, root, from, to)
  }

  /** Whether two arrays have the same from `from` to before `to`. */
  isSame(a: number, b: number, from: number, to: number): boolean {
    return this.#isSame(this.#levels.length - 1, a, b, from, to)
  }

  // Below: `level` is that of the node; a leaf has -1; `from` and `to` count from the node's first leaf.

  #set(level: number, node: number, index: number, leaf: number): number {
    if (level < 0) return leaf
    const bit = (index >> level) & 1
    const left = this.#half(level, node, 0)
    const right = this.#half(level, node, 1)
    return bit === 0
      ? this.#node(level, this.#set(level - 1, left, index, leaf), right)
      : this.#node(level, left, this.#set(level - 1, right, index, leaf))
  }

  #count(level: number, node: number, from: number, to: number): number {
    const size = 2 ** (level + 1)
    if (to <= 0 || from >= size) return 0
    if (level < 0) return this.#isCounted(node) ? 1 : 0
    if (from <= 0 && to >= size) return this.#levels[level]?.counts[node] ?? 0
    const half = size / 2
    return (
      this.#count(level - 1, this.#half(level, node, 0), from, to) +
      this.#count(level - 1, this.#half(level, node, 1), from - half, to - half)
    )
  }

  #isSame(level: number, a: number, b: number, from: number, to: number): boolean {
    const size = 2 ** (level + 1)
    if (a === b || to <= 0 || from >= size) return true
    if (level < 0 || (from <= 0 && to >= size)) return false
    const half = size / 2
    return (
      this.#isSame(level - 1, this.#half(level, a, 0), this.#half(level, b, 0), from, to) &&
      this.#isSame(level - 1, this.#half(level, a, 1), this.#half(level, b, 1), from - half, to - half)
    )
  }

  #half(level: number, node: number, bit: number): number {
    const halves = this.#levels[level]
    return (bit === 0 ? halves?.left[node] : halves?.right[node]) ?? 0
  }

  #node(level: number, left: number, right: number): number {
    const here = this.#levels[level]
    if (here === undefined) return left
    const key = left * HALF + right
    let node = here.nodes.get(key)
    if (node === undefined) {
      node = here.left.push(left) - 1
      here.right.push(right)
      here.counts.push(this.#counted(level - 1, left) + this.#counted(level - 1, right))
      here.nodes.set(key, node)
    }
    return node
  }

  #counted(level: number, node: number): number {
    if (level < 0) return this.#isCounted(node) ? 1 : 0
    return this.#levels[level]?.counts[node] ?? 0
  }
}
