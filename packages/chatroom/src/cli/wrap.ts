/** Cuts lines at the terminal's edge. Whatever others have written, that takes some milliseconds. */
import stringWidth from 'string-width'

/** What is one column wide, and stands for itself; or the rest between. */
const PARTS = /[\u0020-\u007e]|[^\u0020-\u007e]+/g

const clusters = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

interface Piece {
  readonly text: string
  /** Columns. */
  readonly size: number
}

/**
 * Rows of at most `width` columns: cut at a space, which goes; or within a word, if that is longer than a row. There must be
 * no control characters in the line.
 */
export function wrap(line: string, width: number): string[] {
  const rows: string[] = []
  let row = ''
  let columns = 0
  const cut = (): void => {
    rows.push(row)
    row = ''
    columns = 0
  }
  for (const [at, word] of line.split(' ').entries()) {
    const pieces = piecesOf(word)
    const size = pieces.reduce((sum, piece) => sum + piece.size, 0)
    if (at > 0) {
      const isFull = columns + 1 > width || (columns + 1 + size > width && size <= width)
      if (isFull) cut()
      else {
        row += ' '
        columns += 1
      }
    }
    for (const piece of pieces) {
      if (columns + piece.size > width) cut()
      row += piece.text
      columns += piece.size
    }
  }
  return [...rows, row]
}

/** What must not be cut. */
function piecesOf(word: string): Piece[] {
  return (word.match(PARTS) ?? []).flatMap((part) => {
    if (part.length === 1 && part >= ' ' && part <= '~') return [{ text: part, size: 1 }]
    return Array.from(clusters.segment(part), ({ segment }) => ({ text: segment, size: stringWidth(segment) }))
  })
}
