/** `synod-log verify`: whether a directory, or a snapshot, is as it was written; and what to do if it is not. */
import type { Damage } from './damage.js'
import { showDamage } from './damage.js'
import type { DirectorySurvey } from './directory.js'
import { surveyDirectory } from './directory.js'
import type { Note } from './log.js'
import { counted, print } from './output.js'
import type { SnapshotSurvey } from './snapshot.js'
import { surveySnapshot } from './snapshot.js'
import { targetAt } from './target.js'
import { EXIT_DAMAGED, EXIT_WHOLE, UsageError } from './usage.js'

const NEWER = 'use the release that wrote it, or a newer one'

/** The judgement of one directory or snapshot. Its fields have the names that `--json` shows. */
export interface Verdict {
  readonly path: string
  readonly whole: boolean
  /** What was looked at. */
  readonly checked: string
  /** The first ones. */
  readonly damages: readonly Damage[]
  readonly damageCount: number
  readonly notes: readonly Note[]
  /** What to do about the damage; null if there is none. */
  readonly advice: string | null
}

/** Prints the judgement of each. Answers with the exit code. Throws {@link UsageError} where no data is. */
export async function verify(paths: readonly string[], json: boolean): Promise<number> {
  let code = EXIT_WHOLE
  for (const path of paths) {
    const verdict = await judge(path)
    if (!verdict.whole) code = EXIT_DAMAGED
    for (const line of json ? [JSON.stringify(verdict)] : describe(verdict)) await print(line)
  }
  return code
}

/** Reads all of a directory or of a snapshot. Throws {@link UsageError} where no data is. */
export async function judge(path: string): Promise<Verdict> {
  const target = await targetAt(path)
  if (target.type === 'log') throw new UsageError(`${path} is one file of a log: verify its directory`)
  if (target.type === 'snapshot') {
    const survey = await surveySnapshot(target.disk, target.file)
    if (survey === null) throw new UsageError(`there is no ${path}`)
    return judgeSnapshot(path, survey)
  }
  const survey = await surveyDirectory(target.disk)
  const { log, snapshots, damages, damageCount, notes } = survey
  if (log.files.length + damageCount === 0) throw new UsageError(`there is no log in ${path}`)
  const batches = log.files.reduce((sum, file) => sum + file.batches, 0)
  const newest = snapshots.at(-1)
  const checked =
    `${counted(log.files.length, 'log file')}, ${counted(batches, 'batch', 'batches')}, ` +
    `${counted(snapshots.length, 'snapshot')}${newest === undefined ? '' : ` (the newest through slot ${newest.slot})`}`
  return { path, whole: damageCount === 0, checked, damages, damageCount, notes, advice: adviceFor(path, survey) }
}

function judgeSnapshot(path: string, { damage, slot, sections }: SnapshotSurvey): Verdict {
  const chunks = Object.values(sections).reduce((sum, section) => sum + section.chunks, 0)
  const checked = `a snapshot through slot ${slot}, ${counted(chunks, 'chunk')}`
  if (damage === null) return { path, whole: true, checked, damages: [], damageCount: 0, notes: [], advice: null }
  const advice = damage.code === 'NEWER_FORMAT' ? NEWER : 'take another copy: this one cannot be restored'
  return { path, whole: false, checked, damages: [damage], damageCount: 1, notes: [], advice }
}

/** What to do, as the whole of what was found wants it. */
function adviceFor(path: string, { log, damages }: DirectorySurvey): string | null {
  if (damages.length === 0) return null
  if (damages.some(({ code }) => code === 'NEWER_FORMAT')) return NEWER
  const [first] = log.files
  const isLogWhole = damages.every(({ code }) => code === 'BAD_SNAPSHOT')
  if (first?.count === 1) {
    return `a cluster of one server has no other copy: restore a back-up of a snapshot into a new directory (synod-log restore)`
  }
  if (isLogWhole) {
    return (
      'nothing, while the other servers run: the server starts without that snapshot, and fetches one of theirs; ' +
      'while it runs, it writes a new one in time, or when it is told to (kvstore-client snapshot)'
    )
  }
  const flags = first === undefined ? '' : ` --id ${first.server}`
  const command = `${first?.service ?? '<service>'}-server${flags} … --data-dir ${path} --repair`
  return (
    `stop the server if it runs, and start it as always with --repair added (${command}): what is here is set aside, ` +
    'and it gets everything from the other servers, a majority of which must run'
  )
}

function describe({ path, whole, checked, damages, damageCount, notes, advice }: Verdict): string[] {
  const lines = [`${path}: ${whole ? 'whole' : 'DAMAGED'}: ${checked}`]
  for (const damage of damages) lines.push(`  ${showDamage(damage)}`)
  if (damageCount > damages.length) lines.push(`  … and ${counted(damageCount - damages.length, 'damage')} more`)
  for (const { file, offset, what } of notes)
    lines.push(`  ${file}${offset === null ? '' : `, byte ${offset}`}: ${what}`)
  if (advice !== null) lines.push(`  To do: ${advice}`)
  return lines
}
