/** Messages and people as lines for a terminal: nothing in them can act on it, or pass for a line of somebody else's. */
import { harmless } from '@synod/terminal'
import type { ChatMessage } from '../command.js'
import { colourOf, type Style } from './style.js'
import { wrap } from './wrap.js'

/** What is not the beginning of a message stands in by this much, so that no text can pass for one. */
const INDENT = '      '

export interface LineOptions {
  readonly style: Style
  /** How wide the terminal is now. */
  readonly columns: () => number
  /** One's own name: one's messages are shown with their numbers, by which they can be edited. */
  readonly me: string
}

export class Lines {
  readonly #options: LineOptions

  constructor(options: LineOptions) {
    this.#options = options
  }

  /** `14:05 ada: hello`. */
  message({ number, author, text, at, edits, deleted }: ChatMessage): string {
    const { style, me } = this.#options
    const name = oneLine(author)
    const isMine = author === me
    const place = isMine ? `${timeOf(at)} #${number}` : timeOf(at)
    const mark = deleted ? '(deleted)' : edits > 0 ? ' (edited)' : ''
    const [first = '', ...others] = this.#wrapped(`${place} ${name}: ${harmless(plain(text))}${mark}`)
    // Styled afterwards, part by part: a wrapped line ends where it ends.
    const head = `${place} ${name}:`
    const styled = first.startsWith(head)
      ? `${style('dim', place)} ${style(isMine ? ['bold', colourOf(author)] : colourOf(author), name)}:${first.slice(head.length)}`
      : first
    return [styled, ...others].join('\n')
  }

  /** `      ada changed the message of 14:05: hello`. */
  change(message: ChatMessage): string {
    const which = message.author === this.#options.me ? `message #${message.number}` : 'the message'
    const what = `${which} of ${timeOf(message.at)}`
    if (message.deleted) return this.remark(`${oneLine(message.author)} deleted ${what}`)
    return this.remark(`${oneLine(message.author)} changed ${what}: ${harmless(plain(message.text))}`)
  }

  /** The line between two days; null if both moments are of one. */
  day(at: number, before: number | null): string | null {
    const day = dayOf(at)
    return before !== null && dayOf(before) === day ? null : this.remark(`— ${day} —`)
  }

  /** `      eve joined`: what is no message. */
  remark(text: string): string {
    const { style } = this.#options
    return this.#wrapped(`${INDENT}${text}`)
      .map((line) => style('dim', line))
      .join('\n')
  }

  /** An answer to a command, as it is. */
  answer(text: string): string {
    return this.#wrapped(`${INDENT}${text}`).join('\n')
  }

  /** Cut at the terminal's edge, so that what follows stands in, too. */
  #wrapped(text: string): string[] {
    const width = Math.max(this.#options.columns() - INDENT.length - 1, 20)
    const [first = '', ...others] = text.split('\n').flatMap((line) => wrap(line, width))
    return [first.trimEnd(), ...others.map((line) => (INDENT + line).trimEnd())]
  }
}

/** `1 message`, `2 messages`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

/** A name: without line ends. */
export function oneLine(name: string): string {
  return harmless(name).replaceAll('\n', '\\n')
}

function plain(text: string): string {
  return text.replace(/\r\n?/g, '\n').replaceAll('\t', '    ').trimEnd()
}

/** By this machine's clock and zone. */
function timeOf(at: number): string {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return '--:--'
  return `${String(date.getHours()).padStart(2, '0')}:${String(date.getMinutes()).padStart(2, '0')}`
}

function dayOf(at: number): string {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return 'no day'
  return date.toLocaleDateString('en-GB', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' })
}
