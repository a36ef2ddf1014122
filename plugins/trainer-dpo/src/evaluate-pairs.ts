import { CollimateError, meanInterval, proportionInterval } from '@collimate/core'
import type { Measurement, TrainerContext } from '@collimate/core'
import { microBatches, sumBySequence } from '@collimate/data'
import { constant, evaluate } from '@collimate/graph'
import { pairLoss } from './objective.js'
import type { DpoLossOptions } from './options.js'
import type { ReferenceLogProbs } from './reference-log-probs.js'
import { splitInLots } from './split-in-lots.js'

/**
 * The loss and the implicit rewards of the held-out pairs, with 95 % intervals over pairs: Wilson's for the accuracy (a tie
 * counts as wrong, as in TRL), Student's for the means. Nothing where there are no held-out pairs.
 */
export async function evaluatePairs(
  { bus, policy, data, signal }: Pick<TrainerContext, 'bus' | 'policy' | 'data' | 'signal'>,
  reference: ReferenceLogProbs,
  options: DpoLossOptions,
  microBatchSize: number,
): Promise<Record<string, Measurement>> {
  if (data.evaluationLength === 0) return {}
  await reference.prepare('evaluation')
  const rewards = { chosen: [] as number[], rejected: [] as number[] }
  for (const pairs of await splitInLots(data, 'evaluation', 8 * microBatchSize)) {
    signal.throwIfAborted()
    const refLogProbs = await reference.of(pairs)
    const { batches } = microBatches(pairs, {
      microBatchSize,
      inputs: { refLogProbs: { unit: 'tokens', values: (_, position) => refLogProbs[position] } },
    })
    for (const batch of batches) {
      const logProbs = await policy.logProbs({ batch })
      const sums = sumBySequence(
        batch,
        logProbs.map((logProb, token) => logProb - batch.inputs.refLogProbs[token]),
      )
      for (let sequence = 0; sequence < sums.length; sequence += 2) {
        rewards.chosen.push(options.beta * sums[sequence])
        rewards.rejected.push(options.beta * sums[sequence + 1])
      }
    }
    const [done, total] = [rewards.chosen.length, data.evaluationLength]
    bus.emit('progress.made', { phase: 'held-out loss', done, total, unit: 'pairs' })
  }
  const margins = rewards.chosen.map((reward, pair) => reward - rewards.rejected[pair])
  if (!margins.every(Number.isFinite)) {
    throw new CollimateError('COLLIMATE_NOT_FINITE', 'the log-probs of some held-out pairs are not finite', {
      hint: 'the model has diverged: lower the learning rate',
    })
  }
  return {
    eval_loss: meanInterval(evaluate(pairLoss(options, constant(margins)), {}).data),
    'eval_rewards/accuracies': proportionInterval(margins.filter((margin) => margin > 0).length, margins.length),
    'eval_rewards/margins': meanInterval(margins),
    'eval_rewards/chosen': meanInterval(rewards.chosen),
    'eval_rewards/rejected': meanInterval(rewards.rejected),
  }
}
