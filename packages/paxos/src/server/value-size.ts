/** About as many bytes as a plain value takes when it is packed: told without packing it. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 4
  if (value instanceof Uint8Array) return value.length + 4
  if (typeof value !== 'object' || value === null) return 8
  let bytes = 4
  if (value instanceof Map)
    for (const [key, item] of value as Map<unknown, unknown>) bytes += sizeOf(key) + sizeOf(item)
  else if (value instanceof Set || Array.isArray(value))
    for (const item of value as Iterable<unknown>) bytes += sizeOf(item)
  else for (const [key, item] of Object.entries(value)) bytes += sizeOf(key) + sizeOf(item)
  return bytes
}
