/** Moments (ms since the epoch) as the viewer writes them. They are other people's clocks' words, so any number may come. */

const time = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' })
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' })
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })
const dayAndYear = new Intl.DateTimeFormat(undefined, { dateStyle: 'full' })
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' })

/** The latest moment that a Date can hold. */
const LAST = 8.64e15
const DAY = 86_400_000

function date(at: number): Date | null {
  return at <= LAST ? new Date(at) : null
}

/** For instance "14:05"; empty if there is no such moment. */
export function timeOf(at: number): string {
  const moment = date(at)
  return moment === null ? '' : time.format(moment)
}

/** Day and time in full. */
export function fullTimeOf(at: number): string {
  const moment = date(at)
  return moment === null ? 'at no time that a calendar has' : full.format(moment)
}

/** For `<time datetime>`. */
export function machineTimeOf(at: number): string {
  return date(at)?.toISOString() ?? ''
}

/** The day that a moment belongs to, here: equal for moments of one day. */
export function dayOf(at: number): string {
  return date(at)?.toDateString() ?? 'no day'
}

/** A day as a heading: "Today", "Yesterday", or its date. */
export function dayLabel(at: number, now: number): string {
  const moment = date(at)
  if (moment === null) return 'On a day that no calendar has'
  if (dayOf(at) === dayOf(now)) return capital(relative.format(0, 'day'))
  if (dayOf(at) === dayOf(now - DAY)) return capital(relative.format(-1, 'day'))
  return (moment.getFullYear() === new Date(now).getFullYear() ? day : dayAndYear).format(moment)
}

function capital(word: string): string {
  return word.charAt(0).toLocaleUpperCase() + word.slice(1)
}
