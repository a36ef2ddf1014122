import { CollimateError } from '@collimate/core'

export const nativeCudaFailure = (message: string, hint?: string): CollimateError =>
  new CollimateError('COLLIMATE_NATIVE_CUDA_FAILED', message, hint === undefined ? {} : { hint })
