import fc from 'fast-check'
import { law, near, require, type Law } from '../law.js'
import { grid } from '../objective/example.js'
import type { Formulas } from './formulas.js'

const source = 'Ziegler et al., arXiv 1909.08593, section 2.2; trlx issue 361: a controller that is fed a wrong KL'
const betas = fc.constantFrom(0.05, 1, 0.2)
const steering = fc.record({
  target: fc.constantFrom(6, 0.5, 1),
  horizon: fc.constantFrom(1000, 10_000),
  completions: fc.constantFrom(64, 8, 512),
})

/** The controller of an adaptive KL penalty. */
export function klControllerLaws(f: Formulas): Law[] {
  return [
    law({
      name: 'kl/controller-step',
      statement:
        'The penalty grows where the KL is above its target, falls where it is below, stays where it is there, and moves by a fifth of n/horizon at most.',
      formula: 'β′ = β (1 + clip(KL/target − 1, −0.2, 0.2) n/horizon)',
      source,
      capability: 'nextBeta',
      arbitrary: fc.record({ beta: betas, ratio: grid(-1, 4), steering }),
      holds: ({ beta, ratio, steering: { completions, ...limits } }) => {
        const found = f.nextBeta(beta, ratio * limits.target, completions, limits)
        const share = completions / limits.horizon
        near(found / beta, 1 + Math.min(0.2, Math.max(-0.2, ratio - 1)) * share, 1e-12, 'the factor of β')
      },
    }),
    law({
      name: 'kl/controller-converges',
      statement: 'Where the KL falls as the penalty grows, the controller brings it to its target, from either side.',
      formula: 'KL = c/β: KL → target',
      source,
      capability: 'nextBeta',
      arbitrary: fc.record({ beta: betas, times: fc.constantFrom(0.5, 2, 1, 5), steering }),
      holds: ({ beta: first, times, steering: { completions, ...limits } }) => {
        const scale = first * limits.target * times
        let beta: number = first
        // Enough for a factor of five at a fifth of n/horizon a step, and for the rest to settle.
        const steps = Math.ceil((20 * limits.horizon) / completions)
        for (let step = 0; step < steps; step++) beta = f.nextBeta(beta, scale / beta, completions, limits)
        const kl = scale / beta
        require(Math.abs(kl / limits.target - 1) <
          0.01, `after ${steps} steps the KL is ${kl}, its target ${limits.target}`)
      },
    }),
  ]
}
