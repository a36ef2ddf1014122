/*
 * What a backend's worker thread needs. It loads none of the other packages, so that the thread starts fast and from
 * sources too.
 */
export { Failure } from './failure.js'
export type { Engine, Requests, Verb, WireInit } from './protocol.js'
export { serveEngine } from './serve-engine.js'
