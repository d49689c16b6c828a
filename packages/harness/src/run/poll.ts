/** Waiting for something, in a world's own time. */
import type { World } from '../world/world.js'

/** Between two looks (ms). */
const INTERVAL = 25

/** Looks until it is so, or until `timeout` ms have passed; answers with whether it is. Looks once at least. */
export async function poll(
  world: World,
  condition: () => boolean | Promise<boolean>,
  timeout: number,
): Promise<boolean> {
  const deadline = world.now() + timeout
  while (!(await condition())) {
    if (world.now() >= deadline) return false
    await world.sleep(INTERVAL)
  }
  return true
}
