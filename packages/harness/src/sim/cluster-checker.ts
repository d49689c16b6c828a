/**
 * Watches all servers of a simulation at once, and knows what none of them can know: which command is chosen for a slot.
 * It trusts no server's word: what is chosen follows from what has become durable on the simulated disks.
 */
import type { Ballot, ServerId } from '@synod/paxos/internal/protocol/ballot'
import { BOTTOM, compareBallots, sameBallot, showBallot } from '@synod/paxos/internal/protocol/ballot'
import type { Command, Slot } from '@synod/paxos/internal/protocol/command'
import { sameCommand } from '@synod/paxos/internal/protocol/command'
import type { Message } from '@synod/paxos/internal/protocol/message'
import type { StoredRecord } from '@synod/paxos/internal/storage/storage'
import { Violation } from './violation.js'

interface Durable {
  /** Every ballot that this server's disk has promised, the highest. */
  promised: Ballot
  /** What it accepted, by slot and ballot. */
  readonly accepted: Map<Slot, { ballot: Ballot; command: Command }[]>
}

export class ClusterChecker {
  readonly #servers: number
  readonly #disks: Durable[]
  /** A4: one command a ⟨ballot, slot⟩, whoever proposes it. */
  readonly #proposed = new Map<string, Command>()
  readonly #chosen = new Map<Slot, Command>()
  /** The next slot that each server must execute, in its present life. */
  readonly #next: Slot[]
  /** The highest ballot that each acceptor has answered with, and what that was when its present life began. */
  readonly #answered: Ballot[]
  readonly #promisedBefore: Ballot[]

  constructor(servers: number) {
    this.#servers = servers
    this.#disks = Array.from({ length: servers }, () => ({ promised: BOTTOM, accepted: new Map<Slot, never>() }))
    this.#next = Array.from({ length: servers }, () => 1)
    this.#answered = Array.from({ length: servers }, () => BOTTOM)
    this.#promisedBefore = [...this.#answered]
  }

  /** How many slots have a chosen command. */
  get chosen(): number {
    return this.#chosen.size
  }

  /** A new life of a server begins: its state is empty. */
  started(server: ServerId): void {
    this.#next[server] = 1
    this.#promisedBefore[server] = this.#answered[server] ?? BOTTOM
  }

  /** These records of the server have become durable. */
  durable(server: ServerId, records: readonly StoredRecord[]): void {
    const disk = this.#disk(server)
    for (const record of records) {
      if (record.type === 'promise') {
        if (compareBallots(record.ballot, disk.promised) <= 0)
          throw new Violation(
            'A1',
            `server ${server} promised ${showBallot(record.ballot)} after ${showBallot(disk.promised)}`,
          )
        disk.promised = record.ballot
      } else if (record.type === 'accept')
        this.#accepted(server, disk, record.run.ballot, record.run.first, record.run.commands)
    }
  }

  /** What a server found on its disk at a start: nothing that was durable before may be missing. */
  recovered(server: ServerId, records: readonly StoredRecord[]): void {
    const before = this.#disk(server)
    const found: Durable = { promised: BOTTOM, accepted: new Map() }
    this.#disks[server] = found
    this.durable(server, records)
    if (compareBallots(found.promised, before.promised) < 0)
      throw new Violation('durability', `server ${server} forgot its promise of ${showBallot(before.promised)}`)
    for (const [slot, votes] of before.accepted) {
      for (const { ballot } of votes) {
        const kept = found.accepted.get(slot)?.some((vote) => sameBallot(vote.ballot, ballot)) === true
        if (!kept)
          throw new Violation(
            'durability',
            `server ${server} forgot what it accepted at ${showBallot(ballot)} in slot ${slot}`,
          )
      }
    }
  }

  /** A message leaves a server. */
  sent(from: ServerId, message: Message): void {
    if (message.type === 'p2a') {
      const { ballot, first, commands } = message.run
      commands.forEach((command, index) => {
        this.#propose(ballot, first + index, command)
      })
      this.#claimed(from, message.decided)
    } else if (message.type === 'p1b' || message.type === 'p2b') this.#answer(from, message)
    else if (message.type === 'decision' || message.type === 'heartbeat' || message.type === 'decided')
      this.#claimed(from, message.decided)
  }

  /** A server executes an operation; `same` tells whether these bytes are that operation. */
  executed(server: ServerId, slot: Slot, clientId: string, same: (op: Uint8Array) => boolean): void {
    const command = this.#chosen.get(slot)
    if (command === undefined)
      throw new Violation('R1', `server ${server} executed slot ${slot}, for which nothing is durable on a majority`)
    if (command.kind !== 'op' || command.clientId !== clientId || !same(command.op)) {
      throw new Violation('R1', `server ${server} executed another command in slot ${slot} than the one that is chosen`)
    }
    const next = this.#next[server] ?? 1
    if (slot < next) throw new Violation('R3', `server ${server} executed slot ${slot} after slot ${next - 1}`)
    this.#next[server] = slot + 1
  }

  #disk(server: ServerId): Durable {
    const disk = this.#disks[server]
    if (disk === undefined) throw new RangeError(`no server ${server}`)
    return disk
  }

  #accepted(server: ServerId, disk: Durable, ballot: Ballot, first: Slot, commands: readonly Command[]): void {
    if (compareBallots(ballot, disk.promised) < 0)
      throw new Violation(
        'A2',
        `server ${server} accepted at ${showBallot(ballot)} under its promise of ${showBallot(disk.promised)}`,
      )
    disk.promised = ballot
    commands.forEach((command, index) => {
      const slot = first + index
      this.#propose(ballot, slot, command)
      let votes = disk.accepted.get(slot)
      if (votes === undefined) disk.accepted.set(slot, (votes = []))
      if (!votes.some((vote) => sameBallot(vote.ballot, ballot))) votes.push({ ballot, command })
      this.#choose(ballot, slot, command)
    })
  }

  #propose(ballot: Ballot, slot: Slot, command: Command): void {
    const key = `${ballot.round}.${ballot.server}.${ballot.start}/${slot}`
    const known = this.#proposed.get(key)
    if (known === undefined) this.#proposed.set(key, command)
    else if (!sameCommand(known, command))
      throw new Violation('A4', `two commands at ballot ${showBallot(ballot)} in slot ${slot}`)
    // A5: what is chosen at a ballot is what is proposed at every higher one
    const chosen = this.#chosen.get(slot)
    if (chosen !== undefined && !sameCommand(chosen, command) && this.#chosenBelow(slot, ballot)) {
      throw new Violation(
        'A5',
        `another command than the chosen one is proposed at ${showBallot(ballot)} in slot ${slot}`,
      )
    }
  }

  /** A command is chosen when a majority of disks hold it at one ballot. */
  #choose(ballot: Ballot, slot: Slot, command: Command): void {
    let votes = 0
    for (const disk of this.#disks)
      if (disk.accepted.get(slot)?.some((vote) => sameBallot(vote.ballot, ballot)) === true) votes++
    if (votes * 2 <= this.#servers) return
    const known = this.#chosen.get(slot)
    if (known === undefined) this.#chosen.set(slot, command)
    else if (!sameCommand(known, command)) throw new Violation('R1', `two commands are chosen for slot ${slot}`)
  }

  /** Whether a majority of the disks hold the chosen command of a slot at one ballot below this one. */
  #chosenBelow(slot: Slot, ballot: Ballot): boolean {
    const ballots = this.#disks.flatMap((disk) => (disk.accepted.get(slot) ?? []).map((vote) => vote.ballot))
    return ballots.some(
      (candidate) =>
        compareBallots(candidate, ballot) < 0 &&
        ballots.filter((other) => sameBallot(candidate, other)).length * 2 > this.#servers,
    )
  }

  /** An acceptor answers: what it says must be durable, and no less than what it said in a former life. */
  #answer(server: ServerId, message: Extract<Message, { type: 'p1b' | 'p2b' }>): void {
    const disk = this.#disk(server)
    if (compareBallots(message.ballot, disk.promised) > 0)
      throw new Violation(
        'durability',
        `server ${server} answers with ballot ${showBallot(message.ballot)} before it is durable`,
      )
    const before = this.#promisedBefore[server] ?? BOTTOM
    if (compareBallots(message.ballot, before) < 0)
      throw new Violation(
        'A1',
        `server ${server} answers with ballot ${showBallot(message.ballot)} after a restart, and with ${showBallot(before)} before it`,
      )
    const highest = this.#answered[server] ?? BOTTOM
    if (compareBallots(message.ballot, highest) > 0) this.#answered[server] = message.ballot
    if (message.type === 'p1b') return
    for (let slot = message.first; slot <= message.last; slot++) {
      const held = disk.accepted.get(slot)?.some((vote) => sameBallot(vote.ballot, message.ballot)) === true
      if (!held)
        throw new Violation(
          'durability',
          `server ${server} votes for slot ${slot} at ${showBallot(message.ballot)} before that is durable`,
        )
    }
  }

  /** A server says that all slots below this one are decided. */
  #claimed(server: ServerId, decided: Slot): void {
    for (let slot = decided - 1; slot >= 1 && !this.#claimedBefore.has(slot); slot--) {
      if (!this.#chosen.has(slot))
        throw new Violation(
          'R2',
          `server ${server} says that slot ${slot} is decided, which is not durable on a majority`,
        )
      this.#claimedBefore.add(slot)
    }
  }

  readonly #claimedBefore = new Set<Slot>()
}
