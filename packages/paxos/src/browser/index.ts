/**
 * The public API of Synod in a browser: the same client, over the browser's own WebSocket. scripts/bundle.mjs makes one
 * module of it, in which what needs Node is replaced by what stands beside this file.
 */
export { SynodError } from '../protocol/error.js'
export { defineService, inPieces, Refusal } from '../service/service.js'
export type { Command, Service, State } from '../service/service.js'
export { connect } from '../client/client.js'
export type { CallOptions, Client, ClientOptions, ServerAnswer, Served } from '../client/client.js'
export type { Parting, Verification, VerifiedServer } from '../client/comparison.js'
export { ClientError, FeedError } from '../client/error.js'
export type { ClientErrorCode } from '../client/error.js'
export type { Feed, FeedEvent, SubscribeOptions } from '../client/feed.js'
export type { StateDump, WrittenSnapshot } from '../client/inquiry.js'
export type { Connectivity } from '../client/link.js'
export type { StaleRead } from '../client/reads.js'
export type { ServerStatus, StateDigest } from '../transport/wire.js'
