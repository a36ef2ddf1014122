/** The gain of a policy over its reference, at the distance d = √KL(π ‖ π_ref). */
export interface GainAtDistance {
  /** √nats */
  readonly distance: number
  readonly gain: number
}

/** Forms of Gao et al., arXiv 2210.10760: of trained policies d (α − β log d), of best-of-n d (α − β d). */
export const gainForms = {
  rl: { formula: 'd (α − β log d)', slope: (d: number) => -d * Math.log(d) },
  'best-of-n': { formula: 'd (α − β d)', slope: (d: number) => -d * d },
} as const
export type GainForm = keyof typeof gainForms

export interface GainFit {
  readonly form: GainForm
  readonly alpha: number
  /** How fast more optimisation stops to pay: where it is above 0, the gain has a peak. */
  readonly beta: number
  /** Distance of the peak, √nats; absent where the fitted gain rises for ever. */
  readonly peak?: number
  /** Root of the mean squared residual, in units of the reward. */
  readonly residual: number
  readonly points: number
}

/**
 * Least squares of the two coefficients, which are linear in the gain. Undefined where the points cannot tell them apart:
 * fewer than three distances above 0.
 */
export function fitGain(points: readonly GainAtDistance[], form: GainForm): GainFit | undefined {
  const used = points.filter(({ distance }) => distance > 0)
  if (new Set(used.map(({ distance }) => distance)).size < 3) return undefined
  const { slope } = gainForms[form]
  let [aa, ab, bb, ay, by] = [0, 0, 0, 0, 0]
  for (const { distance: d, gain } of used) {
    const s = slope(d)
    aa += d * d
    ab += d * s
    bb += s * s
    ay += d * gain
    by += s * gain
  }
  const determinant = aa * bb - ab * ab
  if (!(determinant > 1e-9 * aa * bb)) return undefined
  const alpha = (ay * bb - by * ab) / determinant
  const beta = (by * aa - ay * ab) / determinant
  const squares = used.reduce(
    (sum, { distance, gain }) => sum + (gain - gainAt({ form, alpha, beta }, distance)) ** 2,
    0,
  )
  const peak = peakOf(form, alpha, beta)
  return {
    ...{ form, alpha, beta, residual: Math.sqrt(squares / used.length), points: used.length },
    ...(peak !== undefined && { peak }),
  }
}

/** The fitted gain at a distance; 0 at 0. */
export function gainAt({ form, alpha, beta }: Pick<GainFit, 'form' | 'alpha' | 'beta'>, distance: number): number {
  return distance === 0 ? 0 : alpha * distance + beta * gainForms[form].slope(distance)
}

function peakOf(form: GainForm, alpha: number, beta: number): number | undefined {
  if (!(beta > 0)) return undefined
  if (form === 'rl') return Math.exp(alpha / beta - 1)
  return alpha > 0 ? alpha / (2 * beta) : undefined
}
