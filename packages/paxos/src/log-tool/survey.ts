/** What the log of a directory holds, gathered in one walk through it: what `inspect` shows, and `verify` judges. */
import { LivesKnown } from '../protocol/lives.js'
import type { Lives } from '../protocol/message.js'
import type { Disk } from '../storage/disk.js'
import type { FileRecord } from '../storage/record.js'
import type { Formation } from '../storage/storage.js'
import type { Damage } from './damage.js'
import type { LogStep, Note } from './log.js'
import { readLog } from './log.js'
import type { FileSummary } from './summary.js'
import { addBatch, beginSummary, endSummary } from './summary.js'

/** Damages that are kept, at most; all are counted. */
const MOST_DAMAGES = 100

/** The last base record, and where it stands. */
export interface FoundBase {
  readonly file: string
  readonly offset: number
  readonly record: Extract<FileRecord, { type: 'base' }>
}

/** Gathers what comes of a log. */
export class LogSurvey {
  readonly files: FileSummary[] = []
  /** The first ones, in the log's order. */
  readonly damages: Damage[] = []
  readonly notes: Note[] = []
  damageCount = 0
  base: FoundBase | null = null
  readonly #lives = new LivesKnown()
  #formed = false
  #repairing = false
  #server = 0

  /** Goes through the log of a directory once. */
  static async of(disk: Disk): Promise<LogSurvey> {
    const survey = new LogSurvey()
    for await (const step of readLog(disk)) survey.#add(step)
    return survey
  }

  get formation(): Formation {
    if (this.files.length === 0) return 'empty'
    if (this.#repairing) return 'repairing'
    return this.#formed ? 'formed' : 'forming'
  }

  /** How often each server was repaired, as far as this one knows. */
  get lives(): Lives {
    return this.#lives.told
  }

  #add(step: LogStep): void {
    const summary = this.files.at(-1)
    switch (step.type) {
      case 'file':
        this.#server = step.header.owner.id
        this.files.push(beginSummary(step))
        return
      case 'batch':
        if (summary !== undefined) addBatch(summary, step)
        for (const { at, record } of step.records) this.#notice(step.file, at, record)
        return
      case 'end':
        if (summary !== undefined) endSummary(summary, step)
        return
      case 'damage':
        this.damageCount++
        if (this.damages.length < MOST_DAMAGES) this.damages.push(step)
        return
      case 'note':
        this.notes.push(step)
    }
  }

  #notice(file: string, offset: number, record: FileRecord): void {
    // Only a formed cluster's server is repaired.
    if (record.type === 'formed' || record.type === 'repairing') this.#formed = true
    if (record.type === 'repairing') this.#repairing = true
    if (record.type === 'base') this.base = { file, offset, record }
    if (record.type === 'base' || record.type === 'lives') this.#lives.merge(record.lives)
    if (record.type === 'repaired') {
      this.#repairing = false
      this.#lives.raise(this.#server, record.life)
    }
  }
}
