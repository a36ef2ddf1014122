import fc from 'fast-check'
import { law, near, require, type Law } from '../law.js'
import { derivative, expectation, klOf, logSoftmax, outcomes, scoreFunction, type Outcomes } from './distributions.js'
import type { Formulas } from './formulas.js'
import { expm1MinusX } from './stable.js'

type Estimator = 'k1' | 'k2' | 'k3'

const schulman = 'Schulman, "Approximating KL divergence", 2020'

/** Estimators of KL(π ‖ π_ref): what they estimate, and what their gradients are. */
export function klLaws(f: Formulas): Law[] {
  const logs = ({ logits, refLogits }: Outcomes) => ({ policy: logSoftmax(logits), reference: logSoftmax(refLogits) })

  const unbiased = (name: 'k1' | 'k3') =>
    law({
      name: `kl/${name}-unbiased`,
      statement: `The expectation of ${name} under the policy is KL(π ‖ π_ref), exactly.`,
      formula: `E_π ${name} = KL(π ‖ π_ref)`,
      source: `${schulman}; rlhf-book approx_kl1 has the other sign, approx_kl3 estimates no KL`,
      capability: name,
      arbitrary: outcomes(),
      holds: (c) => {
        const { policy, reference } = logs(c)
        near(
          expectation(c.logits, (y) => f[name](policy[y], reference[y])),
          klOf(c.logits, c.refLogits),
          1e-9,
          `E ${name}`,
        )
      },
    })

  /** E_y k′(log π(y)) ∇ log π(y): the gradient of the estimate as a loss, the samples held fixed. */
  const lossGradient = (name: Estimator, c: Outcomes) => {
    const { policy, reference } = logs(c)
    return scoreFunction(c.logits, (y) => derivative((logProb) => f[name](logProb, reference[y]), policy[y]))
  }
  const lossLaw = (name: Estimator, statement: string, formula: string, expected: (c: Outcomes) => number[]) =>
    law({
      name: `kl/${name}-as-loss`,
      statement,
      formula,
      source:
        'TRL issues 4967 and 4638: the gradient of the KL in the loss is not that of the KL; Tang and Munos, arXiv 2506.09477',
      capability: name,
      arbitrary: outcomes(),
      holds: (c) => {
        const wanted = expected(c)
        lossGradient(name, c).forEach((value, j) => near(value, wanted[j], 1e-7, `the gradient by logit ${j}`))
      },
    })
  const gradientOfKl = (c: Outcomes) => {
    const { policy, reference } = logs(c)
    return scoreFunction(c.logits, (y) => policy[y] - reference[y])
  }

  const offPolicy = (name: 'k1' | 'k3') =>
    law({
      name: `kl/ratio-times-${name}`,
      statement: `The importance ratio times ${name} has, as a loss, the gradient of KL(π ‖ π_ref).`,
      formula: `E_y ∇ (π/π_old · ${name}) = ∇ KL(π ‖ π_ref) at π = π_old`,
      source: 'DeepSeek-V3.2, arXiv 2512.02556; TRL use_bias_correction_kl',
      capability: name,
      arbitrary: outcomes(),
      holds: (c) => {
        const { policy, reference } = logs(c)
        const loss = (y: number) => (logProb: number) => Math.exp(logProb - policy[y]) * f[name](logProb, reference[y])
        const wanted = gradientOfKl(c)
        scoreFunction(c.logits, (y) => derivative(loss(y), policy[y])).forEach((value, j) =>
          near(value, wanted[j], 1e-7, `the gradient by logit ${j}`),
        )
      },
    })

  return [
    unbiased('k1'),
    unbiased('k3'),
    law({
      name: 'kl/k3-not-negative',
      statement: 'k3 is never negative, and keeps its digits where policy and reference almost agree.',
      formula: 'k3 = expm1(−r) + r ≥ 0, ≈ r²/2 near 0',
      source: 'TRL issue 1161: alarms of negative KL; exp(x) − 1 − x loses all digits at 1e-9',
      capability: 'k3',
      arbitrary: fc.record({
        exponent: fc.integer({ min: -9, max: 1 }),
        digits: fc.integer({ min: -99, max: 99 }),
        logProb: fc.constantFrom(0, -0.5),
      }),
      show: ({ exponent, digits, logProb }) =>
        `log π ${logProb}, log π_ref ${logProb - (digits / 10) * 10 ** exponent}`,
      holds: ({ exponent, digits, logProb }) => {
        const reference = logProb - (digits / 10) * 10 ** exponent
        const [found, exact] = [f.k3(logProb, reference), expm1MinusX(reference - logProb)]
        require(found >= 0, `k3 is ${found}`)
        require(Math.abs(found - exact) <= 1e-5 * exact, `k3 is ${found}, not ${exact}`)
      },
    }),
    lossLaw('k1', 'As a loss k1 has no expected gradient: it penalises nothing.', 'E_y ∇ k1 = 0', (c) =>
      c.logits.map(() => 0),
    ),
    lossLaw('k2', 'As a loss k2 has the gradient of KL(π ‖ π_ref).', 'E_y ∇ k2 = ∇ KL(π ‖ π_ref)', gradientOfKl),
    lossLaw(
      'k3',
      'As a loss k3 has the gradient of the other divergence, KL(π_ref ‖ π).',
      'E_y ∇ k3 = ∇ KL(π_ref ‖ π) = π − π_ref',
      (c) => {
        const { policy, reference } = logs(c)
        return policy.map((logProb, y) => Math.exp(logProb) - Math.exp(reference[y]))
      },
    ),
    offPolicy('k1'),
    offPolicy('k3'),
  ]
}
