import { CollimateError } from '@collimate/core'

export const nativeTfjsFailure = (message: string, hint?: string): CollimateError =>
  new CollimateError('COLLIMATE_NATIVE_TFJS_FAILED', message, hint === undefined ? {} : { hint })
