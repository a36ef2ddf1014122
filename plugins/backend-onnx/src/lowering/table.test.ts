import { evaluate, opNames, program, sampleOp } from '@collimate/graph'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { compileProgram } from '../compile.js'
import { devices } from '../providers.js'
import { closeTo, generator, inFloat32 } from '../testing/numbers.js'

const others = devices.filter((device) => device !== 'cpu')

// The CPU has kernels for what is written for any device, so that the variants can be judged without the device.
describe('what is written for other devices means the same', () => {
  test.each(others.flatMap((device) => opNames.map((op) => [device, op] as const)))('%s: %s', async (device, op) => {
    for (let seed = 0; seed < 2; seed++) {
      const { tensor, values } = sampleOp(op, generator(seed))
      const feeds = inFloat32(values)
      const compiled = compileProgram(
        program({ name: op, outputs: { y: tensor }, simplify: false }),
        new Map(),
        () => new Map(),
        device,
      )
      const session = await InferenceSession.create(compiled.model ?? new Uint8Array(), { intraOpNumThreads: 1 })
      const inputs = compiled.inputs.map(({ value, name, dtype, shape }) => {
        const type = ({ float: 'float32', int: 'int32', bool: 'bool' } as const)[dtype]
        return [value, new Tensor(type, feeds[name] as Float32Array, shape)] as const
      })
      const results = await session.run(Object.fromEntries(inputs))
      await session.release()
      const actual = results[compiled.outputs[0]?.value ?? '']?.data as Float32Array
      evaluate(tensor, feeds).data.forEach((value, i) => {
        if (!closeTo(actual[i] ?? Number.NaN, value, 3e-5)) expect.fail(`${op}[${i}] is ${actual[i]}, not ${value}`)
      })
    }
  })
})
