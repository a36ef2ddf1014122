import { CollimateError, meanInterval, proportionInterval } from '@collimate/core'
import type { Measurement, TrainerContext } from '@collimate/core'
import { microBatches, sumBySequence } from '@collimate/data'
import { constant, evaluate, sub } from '@collimate/graph'
import { dpoLosses } from './losses.js'
import type { DpoLoss } from './losses.js'
import { pairLoss } from './objective.js'
import type { DpoLossOptions } from './options.js'
import type { AnswerTensors } from './pair-tensors.js'
import type { ReferenceLogProbs } from './reference-log-probs.js'
import { splitInLots } from './split-in-lots.js'

/** Sums over the tokens of one answer. */
interface Answer {
  readonly logProb: number
  readonly refLogProb: number
  readonly length: number
}

interface Pair {
  /** Row of the file: pairs are put back into the order of the data. */
  readonly index: number
  readonly chosen: Answer
  readonly rejected: Answer
}

/**
 * The loss and the implicit rewards of the held-out pairs, with 95 % intervals over pairs: Wilson's for the accuracy (a tie
 * counts as wrong, as in TRL), Student's for the means. Nothing where there are no held-out pairs. A loss that sorts over its
 * batch is computed on batches of `batchSize` in the order of the data, as in training.
 */
export async function evaluatePairs(
  { bus, policy, data, signal }: Pick<TrainerContext, 'bus' | 'policy' | 'data' | 'signal'>,
  reference: ReferenceLogProbs,
  options: DpoLossOptions,
  { batchSize, microBatchSize }: { readonly batchSize: number; readonly microBatchSize: number },
): Promise<Record<string, Measurement>> {
  if (data.evaluationLength === 0) return {}
  await reference.prepare('evaluation')
  const pairs: Pair[] = []
  for (const examples of await splitInLots(data, 'evaluation', 8 * microBatchSize)) {
    signal.throwIfAborted()
    const refLogProbs = await reference.of(examples)
    const { batches, order } = microBatches(examples, {
      microBatchSize,
      inputs: { refLogProbs: { unit: 'tokens', values: (_, position) => refLogProbs[position] } },
    })
    for (const [number, batch] of batches.entries()) {
      const sums = {
        logProb: sumBySequence(batch, await policy.logProbs({ batch })),
        refLogProb: sumBySequence(batch, batch.inputs.refLogProbs as Float32Array | Float64Array),
        length: sumBySequence(batch, batch.tokenMask),
      }
      const answer = (n: number): Answer => ({
        logProb: sums.logProb[n],
        refLogProb: sums.refLogProb[n],
        length: sums.length[n],
      })
      order[number].forEach((position, k) => {
        pairs.push({ index: examples[position].index, chosen: answer(2 * k), rejected: answer(2 * k + 1) })
      })
    }
    bus.emit('progress.made', {
      phase: 'held-out loss',
      done: pairs.length,
      total: data.evaluationLength,
      unit: 'pairs',
    })
  }
  pairs.sort((a, b) => a.index - b.index)
  const rewards = (which: 'chosen' | 'rejected') =>
    pairs.map(({ [which]: { logProb, refLogProb } }) => options.beta * (logProb - refLogProb))
  const [chosen, rejected] = [rewards('chosen'), rewards('rejected')]
  const margins = chosen.map((reward, pair) => reward - rejected[pair])
  if (!margins.every(Number.isFinite)) {
    throw new CollimateError('COLLIMATE_NOT_FINITE', 'the log-probs of some held-out pairs are not finite', {
      hint: 'the model has diverged: lower the learning rate',
    })
  }
  return {
    eval_loss: meanInterval(lossesOf(pairs, options, batchSize)),
    'eval_rewards/accuracies': proportionInterval(margins.filter((margin) => margin > 0).length, margins.length),
    'eval_rewards/margins': meanInterval(margins),
    'eval_rewards/chosen': meanInterval(chosen),
    'eval_rewards/rejected': meanInterval(rejected),
  }
}

/** Loss of each pair, in float64. */
function lossesOf(pairs: readonly Pair[], options: DpoLossOptions, batchSize: number): number[] {
  const { coupled }: DpoLoss = dpoLosses[options.loss]
  const size = coupled ? batchSize : pairs.length
  const losses: number[] = []
  for (let start = 0; start < pairs.length; start += size) {
    const batch = pairs.slice(start, start + size)
    const answers = (which: 'chosen' | 'rejected'): AnswerTensors => {
      const column = (name: keyof Answer) => constant(batch.map((pair) => pair[which][name]))
      const [logProb, refLogProb] = [column('logProb'), column('refLogProb')]
      return { logProb, refLogProb, logRatio: sub(logProb, refLogProb), length: column('length') }
    }
    const real = constant(new Uint8Array(batch.length).fill(1), [batch.length])
    const loss = pairLoss(options, { chosen: answers('chosen'), rejected: answers('rejected'), real })
    losses.push(...evaluate(loss, {}).data)
  }
  return losses
}
