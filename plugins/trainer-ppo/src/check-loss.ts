import { CollimateError } from '@collimate/core'

/** Refuses to go on from a loss beyond the limit: COLLIMATE_DIVERGED. */
export function checkLoss(what: 'policy' | 'value', loss: number, maxLoss: number): void {
  if (Math.abs(loss) <= maxLoss) return
  const rate = what === 'policy' ? 'learningRate' : 'criticLearningRate'
  throw new CollimateError(
    'COLLIMATE_DIVERGED',
    `the ${what} loss is ${loss.toPrecision(3)}, beyond maxLoss = ${maxLoss}`,
    { hint: `lower ${rate}, make numPpoEpochs fewer, or scale the rewards down; raise maxLoss if that is meant` },
  )
}
