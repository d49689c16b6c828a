/** The package has no types of its own. */
declare module 'zipfian-integer' {
  /** Draws integers from `min` to `max`, the smaller the likelier: the k-th of them in proportion to 1/k^skew. */
  function zipfian(min: number, max: number, skew: number, random?: () => number): () => number
  export = zipfian
}
