import type { ConfigReader } from './config-reader.js'

/** Rotary position embedding (Su et al., arXiv 2104.09864), default or with the frequency scaling of Llama 3.1. */
export interface Rope {
  readonly theta: number
  readonly llama3?: {
    /** Low frequencies are divided by it. */
    readonly factor: number
    /** Wavelengths longer than originalContext / lowFrequencyFactor are scaled fully. */
    readonly lowFrequencyFactor: number
    /** Wavelengths shorter than originalContext / highFrequencyFactor are left alone. */
    readonly highFrequencyFactor: number
    /** Context length of pre-training, tokens. */
    readonly originalContext: number
  }
}

/**
 * Reads the rotary settings: `rope_parameters` (transformers 5) or `rope_theta` with `rope_scaling` (before).
 *
 * @throws CollimateError COLLIMATE_MODEL_UNSUPPORTED for another rope_type than `default` and `llama3`
 */
export function parseRope(config: ConfigReader): Rope {
  const parameters = config.object('rope_parameters') ?? config.object('rope_scaling')
  for (const reader of [config, parameters]) reader?.refuse('partial_rotary_factor', 1)
  const theta = (parameters?.raw('rope_theta') === undefined ? config : parameters).positive('rope_theta', 10000)
  if (!parameters) return { theta }
  // `type` is the spelling before transformers 4.43.
  const typeField =
    parameters.raw('rope_type') === undefined && parameters.raw('type') !== undefined ? 'type' : 'rope_type'
  if (parameters.choice(typeField, ['default', 'llama3'], 'default') === 'default') return { theta }
  const llama3 = {
    factor: parameters.positive('factor'),
    lowFrequencyFactor: parameters.positive('low_freq_factor'),
    highFrequencyFactor: parameters.positive('high_freq_factor'),
    originalContext: parameters.size('original_max_position_embeddings'),
  }
  if (llama3.highFrequencyFactor <= llama3.lowFrequencyFactor) {
    parameters.invalid('high_freq_factor', 'larger than low_freq_factor')
  }
  return { theta, llama3 }
}

/** Angle per position of each of the headDim / 2 pairs, radians. */
export function ropeFrequencies(rope: Rope, headDim: number): Float64Array {
  return Float64Array.from({ length: headDim / 2 }, (_, pair) => {
    const frequency = rope.theta ** ((-2 * pair) / headDim)
    return rope.llama3 ? llama3Frequency(frequency, rope.llama3) : frequency
  })
}

/** Llama 3.1: low frequencies slowed by `factor`, high ones kept, a linear blend between (transformers, modeling_rope_utils). */
function llama3Frequency(frequency: number, scaling: NonNullable<Rope['llama3']>): number {
  const { factor, lowFrequencyFactor, highFrequencyFactor, originalContext } = scaling
  const turns = (originalContext * frequency) / (2 * Math.PI)
  if (turns > highFrequencyFactor) return frequency
  if (turns < lowFrequencyFactor) return frequency / factor
  const smooth = (turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor)
  return ((1 - smooth) * frequency) / factor + smooth * frequency
}

/** Cosines and sines, each [positions, headDim / 2], row-major, computed in float64. */
export function ropeTables(rope: Rope, headDim: number, positions: number): { cos: Float64Array; sin: Float64Array } {
  const frequencies = ropeFrequencies(rope, headDim)
  const half = frequencies.length
  const cos = new Float64Array(positions * half)
  const sin = new Float64Array(positions * half)
  for (let position = 0; position < positions; position++) {
    for (let pair = 0; pair < half; pair++) {
      cos[position * half + pair] = Math.cos(position * frequencies[pair])
      sin[position * half + pair] = Math.sin(position * frequencies[pair])
    }
  }
  return { cos, sin }
}
