/** An error as Node's `fs` throws it. */
export function errno(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what} (simulated)`), { code })
}
