/** The open room is named in the page's address, behind the `#`. */
import { LOBBY } from '../command.js'

/** The address of a room, within this page. */
export function addressOf(room: string): string {
  return `#${encodeURIComponent(room)}`
}

/** The room that the address names; null if it names none that can be. */
export function roomInAddress(): string | null {
  try {
    const room = decodeURIComponent(location.hash.slice(1)).trim()
    return room === '' ? null : room
  } catch {
    return null
  }
}

/** The room to begin with. */
export function firstRoom(last: string | null): string {
  return roomInAddress() ?? last ?? LOBBY
}
