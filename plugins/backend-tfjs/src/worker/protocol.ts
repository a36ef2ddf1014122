import type { Requests } from '@collimate/backends/worker'
import type { CompiledProgram } from '../compiled.js'
import type { Device } from '../devices.js'

/** `open` loads TensorFlow.js for a device. */
export type TfjsRequests = Requests<{ readonly device: Device }, CompiledProgram, null>
