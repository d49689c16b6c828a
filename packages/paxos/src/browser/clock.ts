/** In the place of src/clock.ts: the browser's time, chance and turns. */
import type { Clock } from '../clock.js'

/** What was deferred, in order. */
const deferred: (() => void)[] = []
/** A message to oneself comes after the events that have already arrived. */
let turns: MessagePort | undefined

function openTurns(): MessagePort {
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () => {
    deferred.shift()?.()
  }
  return port2
}

export const realClock: Clock = {
  now: () => performance.now(),
  after: (ms, call) => {
    const timer = setTimeout(call, ms)
    return () => {
      clearTimeout(timer)
    }
  },
  defer: (call) => {
    deferred.push(call)
    turns ??= openTurns()
    turns.postMessage(null)
  },
  random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
}
