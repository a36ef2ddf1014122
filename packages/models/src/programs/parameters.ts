import { input, type Shape, type Tensor } from '@collimate/graph'

/** Parameters as state inputs under their own names. */
export function weightInputs(parameters: Readonly<Record<string, { readonly shape: Shape }>>): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, { shape }]) => [name, input(name, shape, 'float', 'state')]),
  )
}

/** Names of the state buffers that belong to a weight. */
export const gradientName = (name: string): string => `grad.${name}`
export const firstMomentName = (name: string): string => `adam.m.${name}`
export const secondMomentName = (name: string): string => `adam.v.${name}`
