import type { Backend } from '@collimate/core'
import { shared } from '../shared.js'
import { type Claims, type LawSuite, suiteOf } from '../suite.js'
import { lifeLaws } from './life-laws.js'
import { opLaws } from './op-laws.js'
import { programLaws } from './program-laws.js'
import { refusalLaws } from './refusal-laws.js'
import { stateLaws } from './state-laws.js'
import type { BackendSubject } from './subject.js'
import { updateLaws } from './update-laws.js'

export { devicesToCheck, float32Tolerance, lawsOnDevice, type DeviceLawsOptions } from './devices.js'
export { errorsOfOps, type OpErrors, type OpErrorsOptions } from './op-errors.js'

export interface BackendLawsOptions {
  readonly name: string
  /** A new backend at each call; all but the one that the suite shares are closed by the law that asked. */
  create(): Backend | Promise<Backend>
  /** Largest error of a value relative to the largest magnitude of its tensor: about 1e-9 for float64, 2e-5 for float32. */
  readonly tolerance: number
  /** Of the plugin's manifest: `precision`, `devices`. */
  readonly claims?: Claims
}

/** What a backend must fulfil: values and derivatives of every op, updates, states, refusals, and what is alive. */
export function lawsOfBackend({ name, create, tolerance, claims = {} }: BackendLawsOptions): LawSuite {
  const one = shared(create, (backend) => backend.close())
  const subject: BackendSubject = { get: one.get, fresh: async () => create(), tolerance }
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
