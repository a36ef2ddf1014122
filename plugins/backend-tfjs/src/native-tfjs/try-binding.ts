import { run } from './run.js'
import { nativeTfjsFailure } from './failure.js'

/** What a staged binding answered. */
export interface Trial {
  readonly tensorflow: string
  readonly gpu: boolean
}

/** A small product on the package argv[1]; in a process of its own, since a library that does not load may abort it. */
const trial = `
const util = require('node:util')
util.isNullOrUndefined ??= (value) => value === null || value === undefined
util.isArray ??= Array.isArray
const tf = require(process.argv[1])
const product = tf.matMul(tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor2d([5, 6, 7, 8], [2, 2])).dataSync()
const { binding, isUsingGpuDevice } = tf.backend()
const answer = { backend: tf.getBackend(), product: [...product], tensorflow: binding.TF_Version, gpu: isUsingGpuDevice }
require('node:fs').writeSync(1, '\\n' + JSON.stringify(answer) + '\\n')
`

/** Loads the package and multiplies two matrices. */
export async function tryBinding(packageFolder: string): Promise<Trial> {
  const wrote = await run(process.execPath, ['-e', trial, packageFolder], {
    what: 'the trial of the binding',
    hint: 'please report it with this message',
    environment: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' },
  })
  const { backend, product, tensorflow, gpu } = JSON.parse(wrote.trim().split('\n').at(-1) ?? '') as Trial & {
    backend: string
    product: number[]
  }
  if (backend === 'tensorflow' && String(product) === '19,22,43,50') return { tensorflow, gpu }
  throw nativeTfjsFailure(`the binding computes wrongly: [1 2; 3 4] · [5 6; 7 8] = [${product}] on ${backend}`)
}
