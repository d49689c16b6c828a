/** What this browser keeps between visits. Without room, or permission, it keeps nothing, and the page goes on. */

const PREFIX = 'synod-chat/'

export function kept(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name)
  } catch {
    return null
  }
}

/** Keeps a value under this name; null: nothing any more. Tells whether that could be done. */
export function keep(name: string, value: string | null): boolean {
  try {
    if (value === null || value === '') localStorage.removeItem(PREFIX + name)
    else localStorage.setItem(PREFIX + name, value)
    return true
  } catch {
    return false
  }
}

/** All names that begin so. */
export function keptNames(beginning: string): string[] {
  try {
    return Object.keys(localStorage)
      .filter((name) => name.startsWith(PREFIX + beginning))
      .map((name) => name.slice(PREFIX.length))
  } catch {
    return []
  }
}
