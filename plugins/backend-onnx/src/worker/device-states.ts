import type { DType, Shape, TensorData } from '@collimate/core'
import type * as Onnx from 'onnxruntime-node'
import { encodeModel } from '../onnx-model.js'
import { DeviceValue, type StateBuffer, type StateSet } from './state-set.js'

const elementTypes = { float: 'float32', int: 'int32' } as const
type Location = 'cpu' | 'gpu-buffer'
type CreateSession = (
  model: Uint8Array<ArrayBuffer>,
  outputs: Readonly<Record<string, Location>>,
) => Promise<Onnx.InferenceSession>

/**
 * Carries state buffers to the memory of a device and back. ONNX Runtime reads a tensor of the device only through a session
 * (`getData()` ends the process), so a model of one Identity does it, one for each type and shape.
 */
export class DeviceStates {
  readonly #createSession: CreateSession
  readonly #sessions = new Map<string, Promise<Onnx.InferenceSession>>()

  constructor(createSession: CreateSession) {
    this.#createSession = createSession
  }

  /** Makes sure that the newest values are on the device, and gives them. */
  async tensor(set: StateSet, name: string, host: () => Onnx.Tensor): Promise<Onnx.Tensor> {
    const buffer = set.buffer(name)
    if (!buffer.device) set.keepOnDevice(name, new DeviceValue(await this.#carry(buffer, host(), 'gpu-buffer')))
    return (buffer.device as DeviceValue).tensor
  }

  /** Makes sure that the newest values are in the host's memory too. */
  async fetch(set: StateSet, name: string): Promise<void> {
    const buffer = set.buffer(name)
    if (!buffer.device) return
    const { data } = await this.#carry(buffer, buffer.device.tensor, 'cpu')
    set.view(name).set(data as TensorData)
  }

  async close(): Promise<void> {
    const sessions = await Promise.all(this.#sessions.values())
    this.#sessions.clear()
    for (const session of sessions) await session.release()
  }

  async #carry({ dtype, shape }: StateBuffer, tensor: Onnx.Tensor, to: Location): Promise<Onnx.Tensor> {
    const key = `${dtype} ${shape.join('x')} ${to}`
    const session = this.#sessions.get(key) ?? this.#createSession(identityModel(dtype, shape), { y: to })
    this.#sessions.set(key, session)
    const { y } = await (await session).run({ x: tensor }, { y: null })
    return y as Onnx.Tensor
  }
}

function identityModel(dtype: DType, shape: Shape): Uint8Array<ArrayBuffer> {
  const type = elementTypes[dtype as 'float' | 'int']
  return encodeModel({
    name: 'carry',
    nodes: [{ type: 'Identity', name: 'carry', inputs: ['x'], outputs: ['y'] }],
    inputs: [{ name: 'x', type, shape }],
    outputs: [{ name: 'y', type, shape }],
    initializers: [],
  })
}
