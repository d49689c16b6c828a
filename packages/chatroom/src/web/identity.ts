/** Who writes here: a name that can be changed, and secrets that stay in this browser. */
import { MAX_NAME } from '../command.js'
import { drawSecret } from '../live/secret.js'
import { keep, kept } from './keep.js'

/** Whether others know a message's author again is for them to say; we know our own ones by how their nonces begin. */
const SIGN_LENGTH = 16

export class Identity {
  /** By which one's own messages are edited and deleted. */
  readonly key: string
  readonly #sign: string
  #name: string

  constructor() {
    this.key = drawn('key', 32)
    this.#sign = drawn('sign', SIGN_LENGTH)
    this.#name = kept('name') ?? ''
  }

  /** Empty until one was chosen. */
  get name(): string {
    return this.#name
  }

  set name(name: string) {
    this.#name = name
    keep('name', name)
  }

  /** A new message's nonce. */
  draw(): string {
    return this.#sign + drawSecret().slice(SIGN_LENGTH)
  }

  /** Whether a message of this nonce was written here. Anybody may say so of theirs, but not edit with our key. */
  wrote(nonce: string | undefined): boolean {
    return nonce?.startsWith(this.#sign) === true
  }
}

function drawn(name: string, length: number): string {
  const known = kept(name)
  if (known?.length === length && /^[0-9a-f]+$/.test(known)) return known
  const secret = drawSecret().slice(0, length)
  keep(name, secret)
  return secret
}

/** What is wrong with the name of a person or a room, as one sentence; null if it can be used. */
export function wrongName(name: string): string | null {
  const over = name.length - MAX_NAME
  if (name === '') return 'A name is needed.'
  if (over > 0)
    return `This is ${over === 1 ? 'one character' : `${over} characters`} too long: ${MAX_NAME} are the most.`
  if (/\p{Cc}/u.test(name)) return 'A name has no control characters.'
  if (!name.isWellFormed()) return 'There is half a character in it.'
  return null
}
