import fc from 'fast-check'
import { law, near, require, type Law } from '../law.js'
import { grid } from '../objective/example.js'
import { derivative, outcomes, scoreFunction } from './distributions.js'
import type { Formulas } from './formulas.js'

const paper = 'Schulman et al., arXiv 1707.06347'
const clips = fc.constantFrom(
  { low: 0.2, high: 0.2 },
  { low: 0.1, high: 0.1 },
  { low: 0.2, high: 0.28 },
  { low: 0.2, high: 0.5 },
)
const advantages = grid(-4, 4, 0.25)
const logRatios = fc.oneof(grid(-0.5, 0.5, 1 / 64), grid(-2, 2, 1 / 16))

/** The clipped surrogate of PPO and the clipped loss of its critic. */
export function ppoLaws(f: Formulas): Law[] {
  return [
    law({
      name: 'ppo/fresh-samples',
      statement:
        'On fresh samples, where every ratio is 1, nothing is clipped and the expected gradient is that of REINFORCE.',
      formula: 'ρ = 1: E_y ∇ L = −E_y A(y) ∇ log π(y)',
      source: `${paper}, section 3; torchrl issue 1033, TRL issue 744`,
      capability: 'clippedSurrogate',
      arbitrary: fc.record({ world: outcomes(), clip: clips }),
      holds: ({ world: { logits, rewards }, clip }) => {
        const found = scoreFunction(logits, (y) => derivative((x) => f.clippedSurrogate(x, rewards[y], clip), 0))
        scoreFunction(logits, (y) => -rewards[y]).forEach((value, j) =>
          near(found[j], value, 1e-8, `the gradient by logit ${j}`),
        )
        rewards.forEach((advantage) =>
          near(f.clippedSurrogate(0, advantage, clip), -advantage, 1e-12, 'the loss at ratio 1'),
        )
      },
    }),
    law({
      name: 'ppo/clip-binds',
      statement:
        'The gradient is 0 where the clip binds (a good action too likely, a bad one too unlikely) and unclipped everywhere else.',
      formula: '∂L/∂ log ρ = 0 if (A > 0 and ρ > 1 + high) or (A < 0 and ρ < 1 − low), else −A ρ',
      source: `${paper}, eq. 7 and figure 1`,
      capability: 'clippedSurrogate',
      arbitrary: fc.record({ logRatio: logRatios, advantage: advantages, clip: clips }),
      holds: ({ logRatio, advantage, clip }) => {
        const bounds = [Math.log1p(-clip.low), Math.log1p(clip.high)]
        // Both signs, on both sides of both bounds, and anywhere.
        const places = [logRatio, ...bounds.flatMap((bound) => [bound - 0.01, bound + 0.01])]
        for (const x of places.filter((x) => bounds.every((bound) => Math.abs(x - bound) > 3e-3)))
          for (const a of [advantage, -advantage]) {
            const ratio = Math.exp(x)
            const binds = (a > 0 && ratio > 1 + clip.high) || (a < 0 && ratio < 1 - clip.low)
            const slope = derivative((at) => f.clippedSurrogate(at, a, clip), x)
            near(slope, binds ? 0 : -a * ratio, 1e-8, `the gradient at ratio ${ratio} for advantage ${a}`)
          }
      },
    }),
    law({
      name: 'ppo/pessimistic',
      statement: 'The clipped surrogate never promises more than the unclipped one.',
      formula: 'min(ρ A, clip(ρ) A) ≤ ρ A',
      source: `${paper}, section 3: a lower bound on the unclipped objective`,
      capability: 'clippedSurrogate',
      arbitrary: fc.record({ logRatio: grid(-20, 20), advantage: advantages, clip: clips }),
      holds: ({ logRatio, advantage, clip }) => {
        const [found, unclipped] = [-f.clippedSurrogate(logRatio, advantage, clip), advantage * Math.exp(logRatio)]
        require(found <= unclipped + 1e-12 * Math.abs(unclipped), `the surrogate is ${found}, unclipped ${unclipped}`)
        if (advantage > 0) require(found <= advantage * (1 + clip.high) + 1e-12, `the surrogate is ${found}`)
      },
    }),
    law({
      name: 'ppo/dual-clip',
      statement: 'The dual clip bounds the loss of a bad action that became far too likely, and changes nothing else.',
      formula: 'A < 0: L = min(L_clip, −A c); A ≥ 0: L = L_clip',
      source: 'Ye et al., arXiv 1912.09729',
      capability: 'dualClip',
      arbitrary: fc.record({
        logRatio: grid(-6, 6),
        advantage: advantages,
        clip: clips,
        c: fc.constantFrom(3, 2, 1.5),
      }),
      holds: ({ logRatio, advantage, clip, c }) => {
        const [found, once] = [f.dualClip(logRatio, advantage, clip, c), f.clippedSurrogate(logRatio, advantage, clip)]
        near(found, advantage < 0 ? Math.min(once, -advantage * c) : once, 1e-12, 'the loss')
      },
    }),
    law({
      name: 'ppo/value-clip',
      statement:
        'The clipped value loss is never below the plain one, equals it near the old value, and has no gradient where the clip binds.',
      formula: 'L ≥ ½ (v − R)²; |v − v_old| ≤ range: L = ½ (v − R)²; clipped term larger: ∂L/∂v = 0',
      source: 'OpenAI baselines ppo2; Engstrom et al., arXiv 2005.12729',
      capability: 'clippedValueLoss',
      arbitrary: fc.record({
        value: grid(-3, 3),
        oldValue: grid(-3, 3),
        target: grid(-3, 3),
        range: fc.constantFrom(0.2, 0.05, 1.1),
      }),
      holds: ({ value, oldValue, target, range }) => {
        const found = f.clippedValueLoss(value, oldValue, target, range)
        const plain = (value - target) ** 2 / 2
        require(found >= plain - 1e-12, `the loss is ${found}, unclipped ${plain}`)
        const moved = value - oldValue
        if (Math.abs(moved) < range) return near(found, plain, 1e-12, 'the loss inside the range')
        const clipped = (oldValue + Math.sign(moved) * range - target) ** 2 / 2
        near(found, Math.max(plain, clipped), 1e-12, 'the loss outside the range')
        if (clipped > plain + 0.01)
          near(
            derivative((v) => f.clippedValueLoss(v, oldValue, target, range), value),
            0,
            1e-9,
            'the gradient',
          )
      },
    }),
  ]
}
