import fc from 'fast-check'
import { law, near, Violation, type Law } from '../law.js'
import type { ExampleCase } from './example.js'
import type { PairLawParts } from './bradley-terry-laws.js'
import { hasReference, shifted } from './pairs.js'
import { sameGradient } from './subject.js'

interface Shifted {
  readonly examples: readonly ExampleCase[]
  /** Constant of each prompt, nats, up to four. */
  readonly constants: readonly number[]
}

/** Constants far enough from 0 that a loss that sees them shows it. */
const constants = fc.array(fc.constantFrom(-1, 1, -2.5, 2.5, -7, 7), { minLength: 4, maxLength: 4 })

/**
 * Z(x) cancels: a constant of the prompt in the log-probs (or rewards) of both answers. A loss of the difference does not see it;
 * a loss of single answers, or of averages over unequal lengths, must.
 */
export function partitionLaws({ subject, equalLengths = false }: PairLawParts): Law[] {
  const { judge, show } = subject
  const sides = hasReference(subject) ? (['policy', 'reference'] as const) : (['policy'] as const)
  const cases = (limits: { fewest?: number; equalLengths: boolean }) =>
    fc.record({ examples: subject.examples(limits), constants })
  const showShifted = (c: Shifted) => `${show(c.examples)}, constants of the prompts ${c.constants.join(', ')}`
  const moved = (c: Shifted, of: (typeof sides)[number]) =>
    shifted(subject, c.examples, (example) => c.constants[example], of)
  return [
    law({
      name: 'partition/cancels',
      statement: `A constant of the prompt in the log-probs of both answers${equalLengths ? ' of equal length' : ''}, of policy or reference, changes neither loss nor gradient.`,
      formula: 'L(log π + c(x)) = L(log π_ref + c(x)) = L: β log Z(x) cancels',
      source: 'Rafailov et al., arXiv 2305.18290, eq. 5 to 7',
      capability: 'cancelsPartition',
      arbitrary: cases({ equalLengths }),
      show: showShifted,
      holds: (given) => {
        // Off the grid, where no hinge bends and no two margins are equal.
        const off = (example: number, side: number) => (side === 0 ? -0.0137 * Math.SQRT2 * (example + 1) : 0)
        const c = { ...given, examples: shifted(subject, given.examples, off) }
        const before = judge([c.examples])
        for (const of of sides) {
          const after = judge([moved(c, of)])
          near(after.loss, before.loss, 1e-9, `the loss with constants in the ${of}`)
          sameGradient(after, before, 1e-9)
        }
      },
    }),
    law({
      name: 'partition/remains',
      statement: `A constant of the prompt in the log-probs of both answers${equalLengths ? ' of unequal length' : ''} changes the loss: Z(x) does not cancel.`,
      formula: '∃ c(x): L(log π + c(x)) ≠ L(log π), and the same for π_ref',
      source:
        'TRL 1.16 dpo_trainer.py: losses of single answers and of averages per token; mlx-lm-lora scores pads and prompts',
      capability: 'keepsPartition',
      // Not shrunk: simpler cases are those in which no loss changes.
      arbitrary: fc.noShrink(fc.array(cases({ fewest: 2, equalLengths: false }), { minLength: 8, maxLength: 8 })),
      show: ([first, ...others]) => `${showShifted(first)}; and ${others.length} more`,
      holds: (several) => {
        for (const of of sides) {
          const changes = several.some((c) => {
            const [before, after] = [judge([c.examples]).loss, judge([moved(c, of)]).loss]
            return Math.abs(after - before) > 1e-6 * Math.max(1, Math.abs(before))
          })
          if (!changes) throw new Violation(`no constant of a prompt in the ${of} changes the loss`)
        }
      },
      cost: 4,
    }),
  ]
}
