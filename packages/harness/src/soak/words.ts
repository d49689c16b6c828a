/** A soak in words: a line now and then, and a table in the end. */
import { counted, thousands } from '../report/text.js'
import { table } from '../table.js'
import type { SoakSample } from './soak.js'
import type { ServerResult, SoakResult } from './verdict.js'
import type { Trend } from './trend.js'

const MEBIBYTE = 1 << 20

/** `  120 s   9,100 sets/s   MiB of memory 182 190 176   of disk 61 58 44   descriptors 42 41 40   11,204 sessions   server 2 is down` */
export function lineOf(sample: SoakSample, before: SoakSample | undefined): string {
  const { time, down, acknowledged, servers } = sample
  const rate = ((acknowledged - (before?.acknowledged ?? 0)) / (time - (before?.time ?? 0))) * 1000
  const list = (values: readonly (number | null)[]): string => values.map((value) => show(value).padStart(4)).join('')
  const sessions = Math.max(...servers.map((server) => server.sessions ?? 0))
  const parts = [
    `${(time / 1000).toFixed(0).padStart(6)} s`,
    `${thousands(Math.round(Number.isFinite(rate) ? rate : 0)).padStart(7)} sets/s`,
    `memory (MiB)${list(servers.map(({ memory }) => mib(memory)))}`,
    `disk (MiB)${list(servers.map(({ disk }) => mib(disk)))}`,
    `descriptors${list(servers.map(({ descriptors }) => descriptors))}`,
    `${thousands(sessions).padStart(7)} sessions`,
  ]
  return parts.join('   ') + (down === null ? '' : `   server ${down} is down`)
}

/** The whole of it, with a verdict for each server and for what was acknowledged. */
export function resultText(result: SoakResult): string {
  const { options, acknowledged, unknown, sessions, outages, problems } = result
  const heads = [
    'server',
    'memory MiB',
    'max',
    'MiB/h',
    'grew',
    'disk MiB',
    'max',
    'bound',
    'MiB/h',
    'descriptors',
    'max',
  ]
  const rows = result.servers.map((server) => [...row(server), server.problems.length === 0 ? 'flat' : 'NOT FLAT'])
  const wrong = result.servers.flatMap(({ id, problems: found }) => found.map((problem) => `server ${id}: ${problem}`))
  return [
    `${thousands(acknowledged)} sets in ${options.seconds} s were acknowledged${unknown === 0 ? '' : `, the outcome of ${unknown} is unknown`}; `,
    `${counted(sessions, 'session')} came and went; server ${options.servers - 1} was down ${counted(outages, 'time')}, `,
    `and installed ${counted(result.servers.at(-1)?.installed ?? 0, 'snapshot')} of others\n\n`,
    table([...heads, 'sessions', 'verdict'], rows),
    `\nMemory is ${options.gc ? 'what is left when garbage was collected' : 'what is resident'}. After the warm-up (a third of the run): from, max, slope by least squares; "grew": over the second half, likewise.\n`,
    ...[...wrong, ...problems].map((problem) => `${problem}\n`),
    problems.length === 0 ? 'All that was acknowledged is there, on all servers.\n' : '',
    result.ok ? 'ok\n' : 'NOT OK\n',
  ].join('')
}

function row({ id, memory, disk, diskBound, descriptors, sessions }: ServerResult): string[] {
  const bytes = ({ first, max, slopePerHour }: Trend): [string, string, string] => [
    show(mib(first)),
    show(mib(max)),
    signed(slopePerHour / MEBIBYTE),
  ]
  const [memoryFirst, memoryMax, memorySlope] = bytes(memory)
  const [diskFirst, diskMax, diskSlope] = bytes(disk)
  return [
    ...[String(id), memoryFirst, memoryMax, memorySlope, signed(memory.growth / MEBIBYTE)],
    ...[diskFirst, diskMax, show(mib(diskBound)), diskSlope],
    ...[show(descriptors.first), show(descriptors.max), thousands(sessions.max)],
  ]
}

function mib(bytes: number | null): number | null {
  return bytes === null ? null : bytes / MEBIBYTE
}

function show(value: number | null): string {
  return value === null ? '-' : value.toFixed(0)
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)}`
}
