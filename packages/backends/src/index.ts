export { checkedProgram, type Frozen, frozenStates, graphErrors, prepareProgram } from './prepare-program.js'
export { chosenLowering, type LoweringWith, only } from './lowering.js'
export { opTable } from './op-table.js'
export type { Requests, Verb, WireInit } from './protocol.js'
export {
  checkFeeds,
  checkRows,
  checkStateType,
  checkWrite,
  resolveStates,
  type StateTypes,
  type TensorType,
  valueType,
} from './requests.js'
export { startWorker } from './start-worker.js'
export { buffersOf, type FloatArray, ownCopy, wireInit } from './tensors.js'
export { WorkerBackend, type WorkerBackendParts } from './worker-backend.js'
export { WorkerClient } from './worker-client.js'
