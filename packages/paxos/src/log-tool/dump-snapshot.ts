/** `synod-log dump` of a snapshot: what is in it, in its order. */
import { showBallot } from '../protocol/ballot.js'
import type { SnapshotHeader } from '../storage/snapshot-file.js'
import type { CoreSnapshot, SnapshotHead } from '../protocol/snapshot.js'
import { SnapshotReader } from '../server/snapshot-codec.js'
import type { Disk } from '../storage/disk.js'
import { showDamage } from './damage.js'
import { print } from './output.js'
import { plain, plainOf, visible } from './plain.js'
import { headerOf, openFile, readContent } from './snapshot.js'
import { EXIT_DAMAGED, EXIT_WHOLE, UsageError } from './usage.js'

/** Prints a line for its head, each session, each slot with events, each entry of the state. Answers with the exit code. */
export async function dumpSnapshot(disk: Disk, file: string, json: boolean): Promise<number> {
  const reader = await openFile(disk, file)
  if (reader === null) throw new UsageError(`there is no ${file}`)
  try {
    const header = await headerOf(file, reader)
    if ('what' in header) throw new UsageError(`${showDamage(header)}: it is no snapshot that can be read`)
    const content = new SnapshotReader()
    const reading = readContent(file, reader, content)
    let isCoreTold = false
    for (;;) {
      const step = await reading.next()
      // What comes before the state is complete when the state begins.
      if (!isCoreTold && (step.done === true ? step.value === null : step.value.entries !== null)) {
        isCoreTold = true
        await printCore(header, content.finish(), json)
      }
      if (step.done === true) {
        if (step.value !== null) process.stderr.write(`synod-log: ${showDamage(step.value)}\n`)
        return step.value === null ? EXIT_WHOLE : EXIT_DAMAGED
      }
      for (const entry of step.value.entries ?? []) {
        const text = JSON.stringify(plain(entry))
        await print(json ? `{"section":"state","entry":${text}}` : `entry ${visible(text)}`)
      }
    }
  } finally {
    await reader.close()
  }
}

async function printCore(
  header: SnapshotHeader,
  { head, sessions, events }: CoreSnapshot,
  json: boolean,
): Promise<void> {
  await print(json ? JSON.stringify({ section: 'head', ...header, head }) : describeHead(header, head))
  for (const { clientId, acked, results } of sessions) {
    const known = results.map(([localId, status, value]) => ({ localId, status, value: plainOf(value) }))
    await print(
      json
        ? JSON.stringify({ section: 'sessions', clientId, acked, results: known })
        : `session ${visible(clientId)} (acked ${acked}) ${visible(JSON.stringify(known))}`,
    )
  }
  for (const item of events) {
    if (typeof item === 'number') {
      await print(json ? JSON.stringify({ section: 'events', oldest: item }) : `events from slot ${item} on`)
      continue
    }
    const { slot, events } = item
    const emitted = events.map(plainOf)
    await print(
      json
        ? JSON.stringify({ section: 'events', slot, events: emitted })
        : `events of slot ${slot} ${visible(JSON.stringify(emitted))}`,
    )
  }
}

function describeHead(
  { service, count, clusterId, maker }: SnapshotHeader,
  { slot, ballot, chain }: SnapshotHead,
): string {
  return (
    `snapshot through slot ${slot} at ballot ${showBallot(ballot)}, chain ${chain.hash}, made by server ${maker} of ` +
    `${count} of the service "${service}", cluster ${clusterId}`
  )
}
