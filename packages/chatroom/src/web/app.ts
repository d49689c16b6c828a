/** The chatroom's page: connects its parts with each other, and with the cluster. */
import './no-eval.js'
import { connect } from '@synod/paxos'
import { ChatClient } from '../client.js'
import type { ChatEvent } from '../command.js'
import { Chat, type ChatChange } from '../live/chat.js'
import { Outbox, type Me, type Unsent } from '../live/outbox.js'
import type { Room } from '../live/room.js'
import { chatroom } from '../service.js'
import { firstVisit, readThrough, setRead, showUnread, unreadIn } from './attention.js'
import { Composer } from './composer.js'
import { ConnectionView } from './connection-view.js'
import { ask } from './dialogs.js'
import { byId } from './dom.js'
import { Drawer } from './drawer.js'
import { paint } from './face.js'
import { Identity, wrongName } from './identity.js'
import { keep, kept } from './keep.js'
import { showPeople } from './people-list.js'
import { perFrame } from './per-frame.js'
import { RoomView, type RoomViewHost } from './room-view.js'
import { RoomsList } from './rooms-list.js'
import { addressOf, firstRoom, roomInAddress } from './route.js'
import { forget, save, savedMessages } from './saved.js'
import { name as shortName } from './text.js'

/** Where each part of the page that may be a drawer has its own place; the style sheet has the same widths. */
const ROOMS_FIT = '(min-width: 46.01rem)'
const PEOPLE_FIT = '(min-width: 68.01rem)'

const NO_ANSWER =
  'The servers are reached, but give no answer: perhaps a majority of them is down. What you write is kept, and sent later.'

class App {
  readonly #identity = new Identity()
  readonly #connection = new ConnectionView()
  readonly #client: ChatClient
  readonly #chat: Chat
  readonly #composer: Composer
  readonly #view: RoomView
  readonly #list: RoomsList
  readonly #drawers = [
    new Drawer('rooms', { title: 'Rooms', side: 'left', wide: ROOMS_FIT }),
    new Drawer('people', { title: 'Here now', side: 'right', wide: PEOPLE_FIT }),
  ]
  readonly #showSoon = perFrame(() => this.#show())
  #room: Room | null = null

  constructor() {
    const connection = connect(chatroom, {
      servers: [location.host],
      onConnection: (connectivity) => {
        this.#connection.changed(connectivity)
        if (connectivity.state === 'connected') this.#chat.hurry()
        this.#showSoon()
      },
    })
    this.#client = new ChatClient(connection)
    this.#composer = new Composer({ send: (text) => this.#post(text), editLast: () => this.#view.editLast() })
    this.#view = new RoomView(this.#identity, this.#viewHost())
    this.#list = new RoomsList((room) => (location.hash = addressOf(room)))
    this.#chat = new Chat(this.#client, this.#me, (change) => this.#changed(change))
    this.#listen()
    void this.#start()
  }

  async #start(): Promise<void> {
    if (this.#identity.name === '') {
      this.#identity.name = (await this.#askName('Come in', 'Join')) ?? ''
      this.#chat.rename(this.#identity.name)
    }
    const room = firstRoom(kept('room'))
    history.replaceState(null, '', addressOf(room))
    this.#enter(room)
    this.#sendSaved()
  }

  #listen(): void {
    addEventListener('hashchange', () => {
      const room = roomInAddress()
      if (this.#room === null || room === null || room === this.#room.name) return
      if (wrongName(room) === null) this.#enter(room)
      else history.replaceState(null, '', addressOf(this.#room.name))
    })
    // Those who see who is here learn at once that we are not. What has no outcome is kept.
    addEventListener('pagehide', () => void this.#client.close())
    addEventListener('pageshow', ({ persisted }) => {
      if (persisted) location.reload()
    })
    byId('skip', HTMLButtonElement).addEventListener('click', () => this.#composer.focus())
    byId('rename', HTMLButtonElement).addEventListener('click', () => void this.#rename())
  }

  get #me(): Me {
    return { name: this.#identity.name, key: this.#identity.key }
  }

  #viewHost(): RoomViewHost {
    const connection = this.#connection
    return {
      get isConnected() {
        return connection.isConnected
      },
      readThrough,
      read: (room, number) => {
        if (setRead(room, number)) this.#showSoon()
      },
      retry: (unsent) => {
        if (unsent.state !== 'refused') return this.#chat.hurry()
        this.#room?.dismiss(unsent)
        this.#room?.post(unsent.text, unsent)
      },
      discard: (unsent) => {
        forget(unsent.nonce)
        this.#room?.dismiss(unsent)
        this.#showSoon()
      },
      write: () => this.#composer.focus(),
    }
  }

  #enter(name: string): void {
    const before = this.#room
    this.#room = this.#chat.enter(name)
    if (before !== null) this.#chat.leave(before).catch(() => undefined) // it is only about who is seen where
    keep('room', name)
    byId('room-name', HTMLElement).replaceChildren(shortName(name))
    for (const drawer of this.#drawers) drawer.close()
    this.#composer.enter(name)
    this.#view.enter(this.#room)
    // A phone would show its keyboard.
    if (matchMedia('(hover: hover)').matches) this.#composer.focus()
    this.#showSoon()
  }

  #post(text: string): void {
    if (this.#room === null) return
    const { name: author } = this.#identity
    const message = { nonce: this.#identity.draw(), room: this.#room.name, author, text, at: Date.now() }
    save(message)
    this.#room.post(text, message)
  }

  /** What an earlier visit has left unsent: those of the open room are seen, the others go their way. */
  #sendSaved(): void {
    const others = new Map<string, Outbox>()
    for (const saved of savedMessages()) {
      if (saved.room === this.#room?.name) this.#room.post(saved.text, saved)
      else {
        const outbox =
          others.get(saved.room) ?? new Outbox(this.#client, saved.room, this.#me, (unsent) => this.#settle(unsent))
        others.set(saved.room, outbox)
        outbox.post(saved.text, saved)
      }
    }
  }

  /** A message that has come into the room needs not be kept here. */
  #settle(unsent: Unsent): void {
    if (unsent.state === 'sent') forget(unsent.nonce)
    if (unsent.state !== 'refused') this.#connection.trouble(unsent.state === 'waiting' ? NO_ANSWER : null)
  }

  #changed(change: ChatChange): void {
    if (change.type === 'trouble') this.#connection.trouble(NO_ANSWER)
    else if (change.type === 'unsent') this.#settle(change.unsent)
    else this.#connection.trouble(null)
    if (change.type === 'rooms') this.#count(change.event)
    else if (change.room !== null) this.#view.changed(change)
    this.#showSoon()
  }

  /** Rooms are there, or one has changed. */
  #count(event: ChatEvent | null): void {
    if (event === null) return firstVisit(this.#chat.rooms)
    if (event.type !== 'posted' || !this.#identity.wrote(event.message.nonce)) return
    // Whoever had read all before it has read all.
    const { number } = event.message
    if (readThrough(event.room) === number - 1) setRead(event.room, number)
  }

  #show(): void {
    const name = this.#room?.name ?? ''
    const { rooms } = this.#chat
    this.#view.show()
    this.#list.show(rooms, name, unreadIn)
    showPeople(this.#room?.here ?? [], this.#room?.myId ?? null)
    showUnread(name, rooms)
    paint(byId('my-face', HTMLElement), this.#identity.name)
    byId('my-name', HTMLElement).replaceChildren(shortName(this.#identity.name))
  }

  async #rename(): Promise<void> {
    const name = await this.#askName('Change your name', 'Change', 'Cancel')
    if (name === null || name === this.#identity.name) return
    this.#identity.name = name
    this.#chat.rename(name)
    this.#showSoon()
  }

  #askName(title: string, yes: string, no?: string): Promise<string | null> {
    const line = { label: 'Your name, as the others see it', value: this.#identity.name, check: wrongName }
    return ask({ title, line, yes, ...(no !== undefined && { no }) })
  }
}

new App()
