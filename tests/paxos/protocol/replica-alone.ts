import type { Command } from '@synod/paxos/internal/protocol/command'
import type { Limits } from '@synod/paxos/internal/protocol/config'
import { DEFAULT_LIMITS } from '@synod/paxos/internal/protocol/config'
import { Outbox } from '@synod/paxos/internal/protocol/outbox'
import { Replica } from '@synod/paxos/internal/protocol/replica'
import { ballot, commands, Journal, showCommand, showOutbox } from '../../support/transcript.js'

/** Server 0's replica, beside an acceptor that accepted what `accept` says at ballot 1.1. */
export function replica(limits: Partial<Limits> = {}) {
  const journal = new Journal()
  const self = new Replica(0, { ...DEFAULT_LIMITS, ...limits }, journal, {
    opened: () => undefined,
    ended: () => undefined,
  })
  const out = new Outbox(0)
  const accepted = new Map<number, Command>()
  const acceptedAt = (slot: number, at: { round: number }): Command | undefined =>
    at.round > 1 ? undefined : accepted.get(slot)
  const told = (): string => showOutbox(0, out)
  return {
    self,
    journal,
    out,
    accept: (first: number, text: string) => commands(text).forEach((each, index) => accepted.set(first + index, each)),
    submit: (text: string): string => {
      self.submit(commands(text), out)
      return told()
    },
    take: (most = 1000, now = 0) => self.requests.take(most, now).map(showCommand).join(', '),
    /** Server `from` tells it of decisions. */
    hear: (at: string, decided: number, from = 1): string => {
      self.hear(ballot(at), decided, from)
      self.advance(acceptedAt, out)
      return told()
    },
    decided: (from: number, at: string, first: number, text: string, decided: number, now = 0): string => {
      self.decided(from, { type: 'decided', ballot: ballot(at), first, commands: commands(text), decided }, now, out)
      self.advance(acceptedAt, out)
      return told()
    },
    /** Its host has time. */
    goOn: (): string => {
      self.goOn(acceptedAt, out)
      return told()
    },
    seek: (now: number): string => {
      self.seek([1, 2], now, 500, out)
      return told()
    },
    catchUp: (from: number, slot: number): string => {
      self.catchUp(from, { type: 'catchUp', from: slot }, 0, out)
      return told()
    },
    log: (): string => {
      self.logDecisions(out)
      return told()
    },
    acceptedAt,
  }
}
