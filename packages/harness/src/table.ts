/** Tables for a terminal. */

/** Columns of texts, aligned to the right, with their heads above them; ends with a line break. */
export function table(heads: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = heads.map((head, column) => Math.max(head.length, ...lines.map((line) => (line[column] ?? '').length)))
  const aligned = [heads, ...lines].map((line) =>
    line.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  '),
  )
  return `${aligned.join('\n')}\n`
}
