import { serveEngine } from '@collimate/backends/worker'
import { Engine } from './worker/engine.js'
import { messageOf } from './worker/message-of.js'

/*
 * The thread in which ONNX Runtime works: its runs block the thread that they are called on. It loads none of our other
 * packages, so that it starts fast and from sources too.
 */
serveEngine(new Engine(), messageOf)
