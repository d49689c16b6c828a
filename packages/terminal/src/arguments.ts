/** Arguments of the command line that more than one client takes. */
import { InvalidArgumentError } from 'commander'

/** A whole number from 1 on. */
export function positive(text: string): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || number < 1 || !Number.isSafeInteger(number)) {
    throw new InvalidArgumentError('It must be a whole number, and at least 1.')
  }
  return number
}

/** The number of a server. */
export function serverNumber(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError('A server is named by its number, from 0.')
  return Number(text)
}

/** One `host:port`. */
export function address(text: string): string {
  const port = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:[\]/@]+):(\d{1,5})$/.exec(text)?.[1]
  if (port === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw new InvalidArgumentError(`"${text}" is not a host:port such as 127.0.0.1:10000.`)
  }
  return text
}

/** Some of them, with commas between. */
export function addresses(text: string): string[] {
  return [...new Set(text.split(',').map((part) => address(part.trim())))]
}
