/** Numbers for people. */

/** `12,345` */
export function grouped(number: number): string {
  return number.toLocaleString('en-US')
}

/** `512 B`, `3.4 MiB` */
export function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let [value, unit] = [bytes, 0]
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1]
  const digits = unit === 0 || value >= 99.95 ? 0 : 1
  return `${value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${units[unit] ?? ''}`
}

/** Its two largest units: `1d 4h`, `3m 5s`. */
export function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  const units: [string, number][] = [
    ['d', Math.floor(seconds / 86_400)],
    ['h', Math.floor(seconds / 3600) % 24],
    ['m', Math.floor(seconds / 60) % 60],
    ['s', seconds % 60],
  ]
  const first = units.findIndex(([, amount]) => amount > 0)
  const shown = first === -1 ? units.slice(-1) : units.slice(first, first + 2)
  return shown.map(([unit, amount]) => `${amount}${unit}`).join(' ')
}

/** A part of a whole, as a bar and a number: `█████░░░░░░░░░░░░░░░ 25 %`. */
export function bar(part: number): string {
  const width = 20
  const filled = Math.floor(Math.min(1, Math.max(0, part)) * width)
  return `${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${Math.floor(Math.min(1, part) * 100)} %`
}
