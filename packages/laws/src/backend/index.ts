import type { Backend } from '@collimate/core'
import { shared } from '../shared.js'
import { type Claims, type LawSuite, suiteOf } from '../suite.js'
import { float16Tolerance, float32Tolerance } from './devices.js'
import { lifeLaws } from './life-laws.js'
import { opLaws } from './op-laws.js'
import { programLaws } from './program-laws.js'
import { refusalLaws } from './refusal-laws.js'
import { stateLaws } from './state-laws.js'
import type { BackendSubject } from './subject.js'
import { updateLaws } from './update-laws.js'

export { devicesToCheck, float16Tolerance, float32Tolerance } from './devices.js'
export { productOps } from './op-laws.js'
export { errorsOfOps, type OpErrors, type OpErrorsOptions } from './op-errors.js'

export interface BackendLawsOptions {
  readonly name: string
  /** A new backend at each call; all but the one that the suite shares are closed by the law that asked. */
  create(): Backend | Promise<Backend>
  /** Largest error of a value relative to the largest magnitude of its tensor: about 1e-9 for float64, 2e-5 for float32. */
  readonly tolerance: number
  /** The same for matrix products and what is made of them, where they compute in less; default `tolerance`. */
  readonly productTolerance?: number
  /** Of the plugin's manifest: `precision`, `devices`. */
  readonly claims?: Claims
}

/** What a backend must fulfil: values and derivatives of every op, updates, states, refusals, and what is alive. */
export function lawsOfBackend({
  name,
  create,
  tolerance,
  productTolerance = tolerance,
  claims = {},
}: BackendLawsOptions): LawSuite {
  const one = shared(create, (backend) => backend.close())
  const subject: BackendSubject = { get: one.get, fresh: async () => create(), tolerance, productTolerance }
  return suiteOf({
    contract: 'backend',
    subject: name,
    claims,
    laws: [
      ...updateLaws(subject),
      ...stateLaws(subject),
      ...refusalLaws(subject),
      ...lifeLaws(subject, claims),
      ...programLaws(subject),
      ...opLaws(subject),
    ],
    close: one.close,
  })
}

export interface DeviceLawsOptions extends Pick<BackendLawsOptions, 'name' | 'create' | 'claims'> {
  readonly device: string
  /** Whether the device works here. */
  readonly starts: boolean
  /** Of matrix products; everything else is float32. Default float32. */
  readonly precision?: 'float32' | 'float16'
}

/** The laws of backends on a device, with the tolerances of its precision. One that does not start fails its suite. */
export function lawsOnDevice({ precision = 'float32', ...options }: DeviceLawsOptions): LawSuite {
  const { name, device, starts, create, claims = {} } = options
  const label = precision === 'float32' ? device : `${device}, ${precision}`
  const suite = lawsOfBackend({
    name: `${name} (${label})${starts ? '' : ', which does not start'}`,
    create,
    tolerance: float32Tolerance,
    productTolerance: precision === 'float16' ? float16Tolerance : float32Tolerance,
    claims: { ...claims, ...('precision' in claims && { precision }) },
  })
  // One failure that says what is missing, instead of one in each law.
  return starts ? suite : { ...suite, laws: suite.laws.filter((law) => law.name === 'backend/device') }
}
