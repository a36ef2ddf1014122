import { serveEngine } from '@collimate/backends/worker'
import { Engine } from './worker/engine.js'

/* The thread in which TensorFlow.js works: its kernels block the thread that they are called on. */
serveEngine(new Engine())
