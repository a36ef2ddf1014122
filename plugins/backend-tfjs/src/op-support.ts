import { opTable } from '@collimate/backends'
import type { OpSupport } from '@collimate/core'
import type { OpName } from '@collimate/graph'
import { devices, providerOf } from './devices.js'
import { KernelBuilder } from './kernel-builder.js'
import { loweringOf } from './lowering/table.js'

/** How each op is computed on a device: with which kernels of TensorFlow.js, or decomposed into which ops. */
export function opSupport(name: string): Readonly<Record<OpName, OpSupport>> {
  const provider = providerOf(devices.find((device) => device === name) ?? 'cpu')
  return opTable(
    (op) => loweringOf(op, provider) !== undefined,
    (tensor) => {
      const kernels = new KernelBuilder(provider)
      const operands = tensor.inputs.map((operand) => kernels.input(operand))
      loweringOf(tensor.op as OpName, provider)?.(kernels, operands, tensor.attributes, tensor)
      return kernels.calls.flatMap((call) => ('kernel' in call ? [call.kernel] : []))
    },
  )
}
