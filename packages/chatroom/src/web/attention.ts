/** What the reader has not read yet: counted by room, and told in the window's title. */
import type { RoomSummary } from '../command.js'
import { byId } from './dom.js'
import { keep, kept } from './keep.js'
import { plain } from './text.js'

/** Larger numbers are of no use. */
const MOST_TOLD = 99

const place = (room: string): string => `read/${room}`

/** The number of the last message of a room that was read here; 0: none. */
export function readThrough(room: string): number {
  const number = Number(kept(place(room)))
  return Number.isSafeInteger(number) && number > 0 ? number : 0
}

/** All messages of the room up to this number were read. Tells whether that is news. */
export function setRead(room: string, number: number): boolean {
  return number > readThrough(room) && keep(place(room), String(number))
}

/** Whoever comes for the first time has not missed what was written before. */
export function firstVisit(rooms: readonly RoomSummary[]): void {
  if (kept('visited') !== null) return
  keep('visited', 'yes')
  for (const { room, last } of rooms) setRead(room, last)
}

export function unreadIn({ room, last }: RoomSummary): number {
  return Math.max(0, last - readThrough(room))
}

/** Tells how much is unread, where it is seen when the rooms are not. */
export function showUnread(open: string, rooms: readonly RoomSummary[]): void {
  const unread = rooms.reduce((sum, room) => sum + unreadIn(room), 0)
  document.title = `${unread > 0 ? `(${unread}) ` : ''}${open === '' ? '' : `#${plain(open)} – `}Chat`
  const elsewhere = rooms.reduce((sum, room) => sum + (room.room === open ? 0 : unreadIn(room)), 0)
  const mark = byId('open-rooms-mark', HTMLElement)
  mark.hidden = elsewhere === 0
  mark.textContent = told(elsewhere)
  byId('open-rooms', HTMLElement).setAttribute('aria-label', elsewhere === 0 ? 'Rooms' : `Rooms: ${elsewhere} unread`)
}

/** A number of unread messages, as short as a mark is. */
export function told(unread: number): string {
  return unread > MOST_TOLD ? `${MOST_TOLD}+` : String(unread)
}
