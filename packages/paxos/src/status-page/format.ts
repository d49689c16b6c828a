/** Numbers for people. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** `12,345` */
export function showCount(count: number): string {
  return whole.format(count)
}

/** `1 client`, `2 clients` */
export function showSome(count: number, one: string, more = `${one}s`): string {
  return `${showCount(count)} ${count === 1 ? one : more}`
}

/** Small numbers with one decimal: `0.3`, `12,345`. */
export function showRate(perSecond: number): string {
  return perSecond === 0 || perSecond >= 9.95 ? showCount(perSecond) : perSecond.toFixed(1)
}

/** Milliseconds with three digits that matter: `0.42 ms`, `13.7 ms`, `2.1 s`. */
export function showLatency(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`
  return `${ms.toFixed(ms >= 100 ? 0 : ms >= 10 ? 1 : 2)} ms`
}

/** `512 B`, `3.4 MiB` */
export function showBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let [value, unit] = [bytes, 0]
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1]
  return `${unit === 0 || value >= 99.95 ? whole.format(value) : value.toFixed(1)} ${units[unit] ?? ''}`
}

/** `42 s`, `5 min`, `3 h 20 min`, `4 d 2 h` */
export function showDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3600), Math.floor(seconds / 86_400)]
  if (days > 0) return `${days} d ${hours % 24} h`
  if (hours > 0) return `${hours} h ${minutes % 60} min`
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`
}

/** `0, 1 and 2` */
export function showList(items: readonly (string | number)[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1) ?? ''}`
}
