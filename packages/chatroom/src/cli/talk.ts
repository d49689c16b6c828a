/** The conversation on a terminal: what happens is written above the line that is being typed. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ClientError } from '@synod/paxos'
import { describeError, EXIT_DONE, EXIT_UNAVAILABLE, exitCodeFrom, harmless, History, note } from '@synod/terminal'
import type { ChatChange } from '../live/chat.js'
import type { Me, Unsent } from '../live/outbox.js'
import type { Room } from '../live/room.js'
import { perform } from './commands.js'
import { Connection, type Target } from './connection.js'
import { complete, read, type Input } from './input.js'
import { counted, Lines, oneLine } from './lines.js'
import { Screen } from './screen.js'
import { styleOf } from './style.js'
import { View } from './view.js'

/** A message that has no outcome for this long (ms) is said to be unsent. */
const PATIENCE = 1_000
/** So long (ms) the end waits for what is unsent, at most. */
const LAST_PATIENCE = 3_000

export interface TalkOptions {
  readonly me: Me
  readonly target: Target
  /** How long an answer may take, ms. */
  readonly timeout: number
  /** The room to begin with. */
  readonly room: string
}

export class Talk {
  readonly options: TalkOptions
  readonly lines: Lines
  readonly view: View
  readonly connection: Connection
  /** The room that one wants to be in; null behind `/leave`. */
  roomName: string | null
  readonly #screen: Screen
  readonly #history = new History('chatroom-history')
  /** Of the commands that run. */
  readonly #running = new Set<AbortController>()
  /** Why it cannot go on. */
  #fatal: ClientError | null = null

  constructor(options: TalkOptions) {
    this.options = options
    this.roomName = options.room
    this.#screen = new Screen({
      history: this.#history.lines,
      complete: (line) => this.#complete(line),
      vanishes: (line) => read(line).type === 'message' && this.roomName !== null,
      interrupt: () => {
        for (const running of this.#running) running.abort()
        return this.#running.size > 0
      },
    })
    const style = styleOf(process.stdout, process.env)
    this.lines = new Lines({ style, columns: () => this.#screen.columns, me: options.me.name })
    this.view = new View(this.lines, (text) => {
      this.#screen.show(text)
    })
    this.connection = new Connection({
      me: options.me,
      timeout: options.timeout,
      room: options.room,
      changed: (change) => {
        this.#changed(change)
      },
      said: (sentence) => {
        this.view.say(sentence)
        this.#setPrompt()
      },
    })
  }

  /** The room that one is in; null if there is no connection, or one has left it. */
  get room(): Room | null {
    return this.connection.chat?.entered.find(({ name }) => name === this.roomName) ?? null
  }

  /** Lets the user talk until the end; answers with the exit code. */
  async run(): Promise<number> {
    this.#setPrompt()
    this.show('/help shows the commands, Ctrl-D ends.')
    await this.connect(this.options.target)
    for await (const line of this.#screen.lines()) {
      if (line.trim() !== '') this.#history.add(line)
      const input = read(line)
      if (input.type === 'command' && input.name === 'quit') break
      // Not waited for: a message must not stand in line behind a command that has no answer.
      void this.#take(input)
    }
    return this.#end()
  }

  /** An answer to what was typed. */
  show(text: string): void {
    this.#screen.show(this.lines.answer(text))
  }

  /** Talks to these servers from now on, in the same room. */
  async connect(target: Target): Promise<void> {
    await this.connection.open(target)
    if (this.roomName !== null) this.connection.chat?.enter(this.roomName)
    this.#setPrompt()
  }

  /** Lets go of the servers. */
  async disconnect(): Promise<void> {
    await this.connection.close()
    this.#setPrompt()
  }

  /** Goes to another room, or to none. */
  async go(name: string | null): Promise<void> {
    const { room } = this
    this.roomName = name
    if (name !== null) this.connection.chat?.enter(name)
    this.#setPrompt()
    if (room !== null && room.name !== name) await this.connection.chat?.leave(room)
  }

  /** Writes a message into the room; or keeps it, without a connection. */
  post(text: string): void {
    const { chat } = this.connection
    if (this.roomName === null) return this.show('You are in no room: /join ROOM goes to one.')
    if (chat !== null) chat.post(this.roomName, text)
    else {
      this.connection.keep(this.roomName, text)
      this.#unsent(text)
      this.#setPrompt()
    }
  }

  async #take(input: Input): Promise<void> {
    const running = new AbortController()
    this.#running.add(running)
    await exitCodeFrom(
      () => perform(this, input, running.signal),
      (error) => {
        this.show(describeError(error, false))
      },
    )
    this.#running.delete(running)
  }

  async #end(): Promise<number> {
    const { connection } = this
    this.#screen.close()
    const started = performance.now()
    let isSaid = false
    while (connection.chat !== null && connection.pending > 0 && performance.now() - started < LAST_PATIENCE) {
      await sleep(20)
      if (isSaid || performance.now() - started < PATIENCE) continue
      isSaid = true
      note(`Waiting for ${counted(connection.pending, 'message')} to be sent …`)
    }
    const { pending } = connection
    if (this.#fatal !== null) note(`chatroom-client: ${describeError(this.#fatal, false)}`)
    if (pending > 0) note(`${counted(pending, 'message')} had no outcome, and may not have been sent.`)
    await Promise.race([connection.close(), sleep(LAST_PATIENCE)])
    return pending > 0 || this.#fatal !== null ? EXIT_UNAVAILABLE : EXIT_DONE
  }

  #changed(change: ChatChange): void {
    if (change.type === 'rooms') return
    if (change.type === 'trouble') {
      if (change.error instanceof ClientError && change.error.code === 'INCOMPATIBLE') this.#fail(change.error)
      return
    }
    if (change.type === 'unsent') this.#turned(change.room, change.unsent)
    else if (change.room.name === this.roomName) {
      this.view.changed(change)
      if (change.type === 'refused') this.#refused(change.room, change.error)
    }
    this.#setPrompt()
  }

  /** Nothing will ever come of it. */
  #fail(error: ClientError): void {
    this.#fatal = error
    this.#screen.close()
  }

  #refused(room: Room, error: Error): void {
    this.view.say(`${oneLine(room.name)}: ${error.message}`)
    this.roomName = null
  }

  /** A message of one's own is new, or has another state. */
  #turned(room: Room, unsent: Unsent): void {
    if (unsent.state === 'refused') {
      room.dismiss(unsent)
      this.view.say(`not sent, ${unsent.error?.message ?? 'refused'}: ${harmless(unsent.text)}`)
    } else if (unsent.state === 'sending') {
      setTimeout(() => {
        if (this.connection.isPending(unsent)) this.#unsent(unsent.text)
      }, PATIENCE).unref()
    }
  }

  #unsent(text: string): void {
    this.view.say(`not sent yet: ${harmless(text)}`)
  }

  #setPrompt(): void {
    const { chat, isUp, pending } = this.connection
    const marks = [
      ...(chat === null ? ['not connected'] : isUp ? [] : ['no connection']),
      ...(pending > 0 && !isUp ? [`${pending} unsent`] : []),
    ]
    const room = this.roomName === null ? '' : oneLine(this.roomName)
    this.#screen.prompt = `${room}${marks.length > 0 ? ` (${marks.join(', ')})` : ''}> `.trimStart()
  }

  /** Only what the terminal may show as it is: readline writes it there itself. */
  #complete(line: string): [string[], string] {
    const isPlain = (name: string): boolean => oneLine(name) === name
    const rooms = this.connection.chat?.rooms.map(({ room }) => room) ?? []
    const people = this.room?.here.map(({ name }) => name) ?? []
    return complete(line, rooms.filter(isPlain), people.filter(isPlain))
  }
}
