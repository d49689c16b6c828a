/** A text's limit, told before it is exceeded. */
import { MAX_TEXT } from '../command.js'

/** From so many characters left on it is told. */
const TELL_AT = 1_000

const number = new Intl.NumberFormat()

/** Whether the text can be a message; writes into `place` how much room is left, or what is too much. */
export function showLimit(text: string, place: HTMLElement): boolean {
  const left = MAX_TEXT - text.length
  place.classList.toggle('over', left < 0)
  if (left < 0) place.textContent = `${number.format(-left)} characters too many to send`
  else place.textContent = left <= TELL_AT ? `${number.format(left)} characters left` : ''
  return left >= 0 && text.trim() !== ''
}

/** A text as it is sent: without the blank lines around it. */
export function asSent(text: string): string {
  return text.replace(/^\s*\n|\s+$/g, '').toWellFormed()
}
