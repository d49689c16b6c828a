/** What keeps a server and its peers from being one cluster, each in a sentence that says what can be done. */
import type { ServerId } from '../protocol/ballot.js'
import { SynodError } from '../protocol/error.js'
import type { Owner } from '../storage/storage.js'
import type { PeerHello } from '../transport/wire.js'
import { WIRE_VERSION } from '../transport/wire.js'

/** Why what a hello says cannot come from a peer of this server's; null if it can, as far as that shows without a directory. */
export function misfitOf(hello: PeerHello, { id, count, service }: Owner): SynodError | null {
  const peer = hello.from
  if (hello.version !== WIRE_VERSION) {
    return new SynodError(
      'WRONG_VERSION',
      `server ${peer} speaks version ${hello.version} of the protocol, this one speaks version ${WIRE_VERSION}: run the same release on all`,
      { peer, theirs: hello.version, ours: WIRE_VERSION },
    )
  }
  if (hello.service !== service) {
    return new SynodError(
      'WRONG_SERVICE',
      `server ${peer} serves "${hello.service}", this one "${service}": check the addresses`,
      {
        peer,
        theirs: hello.service,
        ours: service,
      },
    )
  }
  if (hello.count !== count) {
    return new SynodError(
      'WRONG_COUNT',
      `server ${peer} belongs to a cluster of ${hello.count} servers, this one was started for ${count}: start all with the same --count`,
      { peer, theirs: hello.count, ours: count },
    )
  }
  if (peer === id || peer >= count)
    return wrongAddress(peer, `says that it is server ${peer}, to server ${id} of ${count}`)
  if (hello.to !== id) return wrongAddress(peer, `takes this server, ${id}, for server ${hello.to}`)
  return null
}

export function wrongAddress(peer: ServerId, what: string): SynodError {
  return new SynodError('WRONG_ADDRESS', `the address of server ${peer} ${what}: check the addresses`, { peer })
}

/** @param whose what says that the cluster is `ours` */
export function wrongCluster({ from, clusterId }: PeerHello, ours: string, whose: string): SynodError {
  return new SynodError(
    'WRONG_CLUSTER',
    `server ${from} belongs to cluster ${clusterId ?? ''}, ${whose} to ${ours}: check the data directories and addresses`,
    { peer: from, theirs: clusterId, ours },
  )
}

/** This server's directory is empty, and a peer remembers what was in it. */
export function wiped({ id, count }: Owner, { from, clusterId }: PeerHello): SynodError {
  return new SynodError(
    'WIPED',
    `this directory is empty, but server ${from} says that cluster ${clusterId ?? ''} is formed, with server ${id} in it: ` +
      `the votes that it had given are lost, and without them it must not serve; put its directory back${orRepair(count, '')}`,
    { peer: from, clusterId },
  )
}

/** This server's directory ends before what a peer remembers of it. */
export function oldCopy({ id, count, batch }: Owner & { readonly batch: number }, hello: PeerHello): SynodError {
  const { from, batchSeen } = hello
  return new SynodError(
    'OLD_COPY',
    `this directory ends at batch ${batch}, but server ${from} has heard of batch ${batchSeen} of server ${id}: ${stale(count)}`,
    { peer: from, batch, batchSeen },
  )
}

/** A peer knows of a later life of this server than its directory, which is of this one. */
export function beforeRepair({ id, count }: Owner, { from, lifeSeen }: PeerHello, life: number): SynodError {
  return new SynodError(
    'OLD_COPY',
    `this directory is from before a repair of server ${id} (life ${life}), but server ${from} knows of that repair (life ${lifeSeen}): ${stale(count)}`,
    { peer: from, life, lifeSeen },
  )
}

/** Why no server of a cluster of so many can be repaired; null if one can. It takes a majority of all, besides that server. */
export function tooSmallToRepair(count: number): string | null {
  if (count > 2) return null
  return count === 1
    ? 'a cluster of one server has nobody to be repaired from'
    : 'in a cluster of two servers none can be repaired: that takes a majority of all servers, besides the one'
}

/** Why a server cannot be repaired whose peers are as new as it is. */
export const NOBODY_FORMED = 'no server of this cluster is formed: start without --repair'

export function nothingToRepair(why: string): SynodError {
  return new SynodError('NOTHING_TO_REPAIR', why)
}

function stale(count: number): string {
  const other = orRepair(count, 'empty the directory and ')
  return `it is an old copy, without votes that were given since, and must not serve; put the newest one back${other}`
}

/** The other thing that can be done about lost votes, where it can be done. */
function orRepair(count: number, first: string): string {
  return tooSmallToRepair(count) === null ? `, or ${first}have it rebuilt from the other servers with --repair` : ''
}
