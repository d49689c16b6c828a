/**
 * Loaded into a server's process before anything else (`node --import`): measures how late its event loop is. At SIGUSR2 it
 * says what that came to since the last one, as a line, and begins anew. The server knows nothing of it.
 */
import { writeSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { LoopDelay } from './delays.js'
import { MARK } from './delays.js'

/** A look each ms; what is recorded is the time between two looks. */
const RESOLUTION = 1
const histogram = monitorEventLoopDelay({ resolution: RESOLUTION })
histogram.enable()

const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION)

process.on('SIGUSR2', () => {
  const at = (percentile: number): number => late(histogram.percentile(percentile))
  const delay: LoopDelay = { p50: at(50), p99: at(99), p999: at(99.9), max: late(histogram.max) }
  histogram.reset()
  writeSync(1, `${MARK}${JSON.stringify(delay)}\n`)
})
