/** A stream of bytes, cut into lines without ever holding more than a chunk and one line. */

/** A line without its end. */
export interface InputLine {
  /** From 1. */
  readonly number: number
  /** null: the line was longer than the limit, and is skipped. */
  readonly bytes: Buffer | null
}

const NEWLINE = 0x0a
const RETURN = 0x0d

/** Yields the lines that end in each chunk, and at last the one without an end, if it is not empty. */
export async function* readLines(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<InputLine[]> {
  let number = 0
  let parts: Buffer[] = []
  let length = 0
  const end = (last: Buffer): InputLine => {
    number += 1
    const bytes =
      length + last.length > maxBytes ? null : trimmed(parts.length === 0 ? last : Buffer.concat([...parts, last]))
    parts = []
    length = 0
    return { number, bytes }
  }
  for await (const chunk of chunks) {
    const lines: InputLine[] = []
    let from = 0
    for (let to = chunk.indexOf(NEWLINE); to !== -1; to = chunk.indexOf(NEWLINE, from)) {
      lines.push(end(chunk.subarray(from, to)))
      from = to + 1
    }
    const left = chunk.subarray(from)
    length += left.length
    if (length > maxBytes) parts = []
    else if (left.length > 0) parts.push(left)
    if (lines.length > 0) yield lines
  }
  if (length > 0) yield [end(Buffer.alloc(0))]
}

function trimmed(line: Buffer): Buffer {
  return line.at(-1) === RETURN ? line.subarray(0, -1) : line
}
