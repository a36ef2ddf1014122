import { parseArgs } from 'node:util'
import { errorLine } from '@collimate/core'
import { nativeTfjsPackage, stagingFolder, stagingRoot } from './native-location.js'
import { librariesIn } from './native-tfjs/compile-binding.js'
import { verifyLibraries } from './native-tfjs/fetch-libraries.js'
import { checkMachine, checkPrograms, thisMachine } from './native-tfjs/requirements.js'
import { stage } from './native-tfjs/stage.js'
import { tryBinding } from './native-tfjs/try-binding.js'
import { cudaNeeds, tfjsVersion, wheels, type Variant } from './native-tfjs/wheels.js'

/*
 * `npm run native-tfjs`: brings the native binding of TensorFlow.js without the download of its install script. The C
 * libraries come out of TensorFlow's wheel, the binding is compiled from the npm package. All of it stays in a folder
 * outside of node_modules, which `npm ci` does not touch and in which the backend finds it.
 */
const usage = 'native-tfjs [--cuda] [--python <path>]'

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { cuda: { type: 'boolean' }, python: { type: 'string' } } })
  const variant: Variant = values.cuda ? 'cuda' : 'cpu'
  const wheel = wheels[variant]
  const folder = stagingFolder(variant)
  checkMachine(thisMachine())
  const staged = nativeTfjsPackage(variant)
  if (staged !== undefined) await verifyLibraries(wheel, librariesIn(staged))
  else await checkPrograms(compiler(), python(values.python))
  const say = (line: string) => void process.stdout.write(`native-tfjs: ${line}\n`)
  const trial =
    staged === undefined
      ? await stage(wheel, folder, { compiler: compiler(), python: python(values.python), say })
      : await tryBinding(staged)
  say(
    `@tensorflow/tfjs-node ${tfjsVersion} on TensorFlow ${trial.tensorflow} ${staged ? 'is there already' : 'is staged'} in ${folder}; ` +
      `checksums verified, a product computed on the ${trial.gpu ? 'GPU' : 'CPU'}`,
  )
  if (variant === 'cuda') say(`on a GPU it needs ${cudaNeeds}`)
  const { COLLIMATE_NATIVE_TFJS: named } = process.env
  if (named) say(`the backend finds it while COLLIMATE_NATIVE_TFJS is ${stagingRoot()}`)
}

const compiler = (): string => process.env['CXX'] || 'g++'
const python = (named: string | undefined): string => named ?? 'python3'

try {
  await main()
} catch (error) {
  process.stderr.write(`error ${errorLine(error)}\n${usage}\n`)
  process.exitCode = 1
}
