/** What a run leaves in files, where that is asked for. */
import { access, constants, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Command } from 'commander'
import { writeHistory } from '../history/jsonl.js'
import { renderHtml } from '../report/html.js'
import type { Report } from '../report/report.js'
import { UsageError } from './usage.js'

export interface FileFlags {
  readonly json?: string
  readonly report?: string
  readonly history?: string
}

/** The options that {@link writeFiles} serves. Whether the files can be written is known before anything is played. */
export function addFileOptions(command: Command): Command {
  return command
    .hook('preAction', async (_, action) => {
      const { json, report, history } = action.opts<FileFlags>()
      for (const file of [json, report, history]) if (file !== undefined) await check(file)
    })
    .option('--json <file>', 'write the report as JSON')
    .option('--report <file.html>', 'write the report as a page that stands alone')
    .option('--history <file.jsonl>', 'write the history, as check-history reads it')
}

/** Throws {@link UsageError} for a file that cannot be written. */
export async function writeFiles(report: Report, { json, report: page, history }: FileFlags): Promise<void> {
  if (json !== undefined) await write(json, `${JSON.stringify(report, null, 2)}\n`)
  if (page !== undefined) await write(page, renderHtml(report))
  if (history !== undefined) await write(history, writeHistory(report.history))
}

/** Whether the file can be written, as far as that can be told without touching it. */
async function check(file: string): Promise<void> {
  try {
    const found = await stat(file).catch(() => null)
    if (found?.isDirectory() === true) throw new Error('it is a directory')
    await access(found === null ? dirname(file) : file, constants.W_OK)
  } catch (error) {
    throw unwritable(file, error)
  }
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text)
  } catch (error) {
    throw unwritable(file, error)
  }
}

function unwritable(file: string, error: unknown): UsageError {
  return new UsageError(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`)
}
