/** `synod-log inspect`: what is in a directory, and where its bytes are. */
import Table from 'cli-table3'
import { showBallot } from '../protocol/ballot.js'
import { showDamage } from './damage.js'
import type { DirectorySurvey } from './directory.js'
import { surveyDirectory } from './directory.js'
import { grouped, print, sized } from './output.js'
import { describeLives } from './show-record.js'
import { describeSnapshot, snapshotToJson, surveySnapshot } from './snapshot.js'
import type { FileBytes, FileSummary } from './summary.js'
import { totalOf } from './summary.js'
import { targetAt } from './target.js'
import { EXIT_WHOLE, UsageError } from './usage.js'

/** Prints what is in each. Answers with the exit code: 0, damaged or not, which is for `verify` to judge. */
export async function inspect(paths: readonly string[], json: boolean): Promise<number> {
  for (const [index, path] of paths.entries()) {
    const target = await targetAt(path)
    if (target.type === 'log') throw new UsageError(`${path} is one file of a log: inspect its directory`)
    if (index > 0 && !json) await print('')
    if (target.type === 'directory') {
      const survey = await surveyDirectory(target.disk)
      for (const line of json ? [JSON.stringify(toJson(path, survey))] : describe(path, survey)) await print(line)
    } else {
      const survey = await surveySnapshot(target.disk, target.file)
      if (survey === null) throw new UsageError(`there is no ${path}`)
      for (const line of json ? [JSON.stringify(snapshotToJson(survey))] : describeSnapshot(survey)) await print(line)
      if (survey.damage !== null && !json) await print(`Damage: ${showDamage(survey.damage)}.`)
    }
  }
  return EXIT_WHOLE
}

function toJson(directory: string, { log, snapshots, others, damages, damageCount, notes }: DirectorySurvey): unknown {
  const { formation, lives, base, files } = log
  return {
    directory,
    formation,
    lives,
    base: base === null ? null : { file: base.file, offset: base.offset, ...base.record },
    files,
    snapshots: snapshots.map(snapshotToJson),
    others,
    damages,
    damageCount,
    notes,
  }
}

function describe(directory: string, survey: DirectorySurvey): string[] {
  const { log, snapshots, others, damages, damageCount, notes } = survey
  const lines = [directory, ...describeLog(survey)]
  if (log.files.length > 0) lines.push('', filesTable(log.files), '', bytesTable(log.files))
  if (snapshots.length > 0) lines.push('', ...snapshots.flatMap(describeSnapshot))
  if (others.length > 0) lines.push('', ...others.map(({ file, size, what }) => `${file}: ${what}, ${sized(size)}`))
  lines.push('', ...notes.map(({ file, what }) => `${file} ${what}.`))
  const [damage] = damages
  if (damage === undefined) lines.push('No damage.')
  else
    lines.push(
      `${damageCount === 1 ? 'Damage' : `The first of ${grouped(damageCount)} damages`}: ${showDamage(damage)}.`,
    )
  return lines
}

function describeLog({ log: { files, formation, lives, base } }: DirectorySurvey): string[] {
  const [first] = files
  if (first === undefined) return ['  no log']
  const { server, count, service, clusterId, format } = first
  const lines = [
    `  server ${server} of ${count} of the service "${service}", cluster ${clusterId}, format ${format}`,
    `  ${formation}; ${describeLives(lives)}`,
  ]
  if (base === null) return [...lines, '  never collected']
  const { collected, decided, decidedBallot } = base.record
  const where = `${base.file}, byte ${base.offset}`
  return [
    ...lines,
    `  collected through slot ${collected}, then decided below ${decided} at ballot ${showBallot(decidedBallot)} (${where})`,
  ]
}

function filesTable(files: readonly FileSummary[]): string {
  const rows = new Table({
    head: ['file', 'salt', 'batches', 'seals', 'slots', 'used', 'reserved'],
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  })
  for (const { file, salt, batches, seals, firstBatch, lastBatch, slots, size, bytes } of files) {
    rows.push([
      file,
      salt.slice(0, 8),
      batches === 0 ? '' : `${firstBatch}-${lastBatch}`,
      grouped(seals),
      slots?.join('-') ?? '',
      sized(size - bytes.reserved),
      sized(bytes.reserved),
    ])
  }
  return rows.toString()
}

const PARTS: readonly (readonly [keyof FileBytes, string])[] = [
  ['header', "files' headers"],
  ['batchHeaders', "batches' headers"],
  ['padding', 'padding'],
  ['lost', 'torn or damaged'],
  ['reserved', 'reserved'],
]

/** Where the bytes of all files are. */
function bytesTable(files: readonly FileSummary[]): string {
  const rows = new Table({
    head: ['where the bytes are', 'records', 'commands', 'bytes', 'share'],
    colAligns: ['left', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  })
  const all = files.reduce((sum, { size }) => sum + size, 0)
  const share = (bytes: number): string => `${((bytes * 100) / all).toFixed(1)} %`
  const kinds = Object.entries(totalOf(files.map(({ records }) => records)))
  for (const [kind, { records, commands, bytes }] of kinds.sort(([, a], [, b]) => b.bytes - a.bytes)) {
    rows.push([kind, grouped(records), commands === 0 ? '' : grouped(commands), grouped(bytes), share(bytes)])
  }
  for (const [part, name] of PARTS) {
    const bytes = files.reduce((sum, file) => sum + file.bytes[part], 0)
    if (bytes > 0) rows.push([name, '', '', grouped(bytes), share(bytes)])
  }
  rows.push(['all', '', '', grouped(all), share(all)])
  return rows.toString()
}
