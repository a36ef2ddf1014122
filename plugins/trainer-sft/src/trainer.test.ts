import { createBus } from '@collimate/core'
import type {
  Example,
  PluginContext,
  Policy,
  StepReport,
  TrainerContext,
  UpdateReport,
  UpdateRequest,
} from '@collimate/core'
import { describe, expect, it } from 'vitest'
import { sft } from './index.js'
import { sftOptions } from './options.js'
import { sftTrainer } from './trainer.js'

/** Rows of three prompt tokens and 1 to 4 completion tokens. */
const examples = Array.from({ length: 7 }, (_, index): Example => ({
  index,
  prompt: Int32Array.of(1, 2, 3),
  completions: [Int32Array.from({ length: 1 + (index % 4) }, (_, k) => 10 + k)],
  text: { prompt: '', completions: [''] },
  columns: {},
}))

/** A policy that learns nothing and writes down what it is asked; its loss is the number of scored tokens. */
function recorder() {
  const requests: UpdateRequest[] = []
  const answer = (request: Pick<UpdateRequest, 'batches' | 'metrics'>): UpdateReport => {
    const scored = request.batches.reduce((sum, { tokenMask }) => sum + tokenMask.reduce((a, b) => a + b, 0), 0)
    return {
      loss: scored,
      metrics: request.metrics ? { entropy: { sum: 2 * scored, count: scored }, empty: { sum: 0, count: 0 } } : {},
      microBatches: [],
      gradNorm: 3,
      tokens: request.batches.reduce((sum, { tokenCount }) => sum + tokenCount, 0),
      version: 1,
    }
  }
  const policy = {
    update: async (request: UpdateRequest) => (requests.push(request), answer(request)),
    evaluate: async (request: UpdateRequest) => answer(request),
  } as unknown as Policy
  return { requests, policy }
}

function contextOf(policy: Policy, { startStep = 0, totalSteps = 4, consumed = 0 } = {}): TrainerContext {
  let place = consumed
  return {
    bus: createBus(),
    policy,
    data: {
      trainLength: examples.length,
      trainFingerprint: '',
      evaluationLength: examples.length,
      evaluationFingerprint: '',
      async next(count) {
        const at = place % examples.length
        const taken = examples.slice(at, at + count)
        place += taken.length
        return taken
      },
      read: async (_, indices) => indices.map((index) => examples[index]),
    },
    totalSteps,
    startStep,
    seed: 0,
    cacheFolder: '',
    signal: new AbortController().signal,
  }
}

async function collect(steps: AsyncGenerator<StepReport>): Promise<StepReport[]> {
  const lines: StepReport[] = []
  for await (const line of steps) lines.push(line)
  return lines
}

const trainerOf = (options: object) => sftTrainer(sftOptions.parse({ batchSize: 4, loggingSteps: 1, ...options }))

describe('steps', () => {
  it('logs in TRL’s names, counts prompts in num_tokens and epochs by examples', async () => {
    const { policy, requests } = recorder()
    const lines = await collect(trainerOf({ learningRate: 1, warmupSteps: 2 }).steps(contextOf(policy)))
    // Batches of 4, 3 (the end of the epoch), 4 and 3 rows, with 10 and 6 completion tokens.
    expect(lines.map(({ step }) => step)).toEqual([1, 2, 3, 4])
    expect(lines.map(({ tokens }) => tokens)).toEqual([22, 15, 22, 15])
    expect(lines[0].metrics).toEqual({
      loss: 10,
      entropy: 2,
      grad_norm: 3,
      learning_rate: 0,
      num_tokens: 22,
      epoch: 4 / 7,
    })
    expect(lines[3].metrics).toEqual({
      loss: 6,
      entropy: 2,
      grad_norm: 3,
      learning_rate: 0.5,
      num_tokens: 74,
      epoch: 2,
    })
    expect(requests.map(({ learningRate }) => learningRate)).toEqual([0, 0.5, 1, 0.5])
    expect(requests[0].objective).toEqual({ use: 'sft', options: {} })
  })

  it('computes metrics on logged steps only: the first, every n-th and the last', async () => {
    const { policy, requests } = recorder()
    const lines = await collect(trainerOf({ loggingSteps: 3 }).steps(contextOf(policy, { totalSteps: 8 })))
    const logged = [true, false, true, false, false, true, false, true]
    expect(requests.map(({ metrics }) => metrics)).toEqual(logged)
    expect(lines.map(({ metrics }) => Object.keys(metrics).length > 0)).toEqual(logged)
  })

  it('goes on after a resume as if it had not stopped', async () => {
    const whole = recorder()
    const lines = await collect(trainerOf({}).steps(contextOf(whole.policy)))
    const first = recorder()
    const stopped = trainerOf({})
    const begun: StepReport[] = []
    for await (const line of stopped.steps(contextOf(first.policy))) if (begun.push(line) === 2) break
    const resumed = trainerOf({})
    resumed.restore(JSON.parse(JSON.stringify(stopped.state())))
    const second = recorder()
    const rest = await collect(resumed.steps(contextOf(second.policy, { startStep: 2, consumed: 7 })))
    expect([...begun, ...rest]).toEqual(lines)
    expect([...first.requests, ...second.requests]).toEqual(whole.requests)
  })

  it('micro-batches hold all examples of a step, none of them divided', async () => {
    const { policy, requests } = recorder()
    await collect(trainerOf({ microBatchSize: 3 }).steps(contextOf(policy, { totalSteps: 1 })))
    expect(requests[0].batches.map(({ sequenceCount }) => sequenceCount)).toEqual([3, 1])
  })

  it('completionOnly false trains on the prompt too, except its first token', async () => {
    const { policy, requests } = recorder()
    await collect(trainerOf({ completionOnly: false }).steps(contextOf(policy, { totalSteps: 1 })))
    const [{ tokenMask, tokenCount }] = requests[0].batches
    expect(tokenMask.reduce((a, b) => a + b, 0)).toBe(22 - 4)
    expect(tokenCount).toBe(22)
  })
})

it('evaluates over all held-out tokens, not over batches', async () => {
  const { policy } = recorder()
  const measured = await trainerOf({ batchSize: 1 }).evaluate?.(contextOf(policy))
  // All seven examples fit into one lot: 16 scored tokens.
  expect(measured).toEqual({
    eval_loss: { value: 16, count: 16 },
    eval_entropy: { value: 2, count: 16 },
  })
})

describe('objective', () => {
  it('another one is asked for by its name and options', async () => {
    const { policy, requests } = recorder()
    const trainer = trainerOf({ objective: { use: 'focal', gamma: 2 } })
    await collect(trainer.steps(contextOf(policy, { totalSteps: 1 })))
    expect(requests[0].objective).toEqual({ use: 'focal', options: { gamma: 2 } })
  })

  it('one that needs more than completions is refused when the trainer is made', async () => {
    const context = { objective: async () => ({ name: 'dpo', inputs: { refLogProbs: 'tokens' } }) }
    const made = sft.definition.create(sftOptions.parse({ objective: 'dpo' }), context as unknown as PluginContext)
    await expect(made).rejects.toThrow(
      expect.objectContaining({ code: 'COLLIMATE_OPTION_INVALID', message: expect.stringContaining('refLogProbs') }),
    )
  })
})

describe('plan', () => {
  it('asks for prompts with completions, and for packs where they are wanted', () => {
    expect(trainerOf({}).plan).toEqual({
      dataset: 'prompt-completion',
      data: { maxLength: 1024, truncation: 'keep_start' },
      requires: { reference: false, reward: false, estimator: false },
      batchSize: 4,
      length: { epochs: 3 },
      shuffle: true,
    })
    expect(trainerOf({ packing: 'bfd', maxLength: 64, steps: 5 }).plan).toMatchObject({
      data: { maxLength: 64, packing: 'bfd' },
      length: { steps: 5 },
    })
  })

  it.each([
    [{ packing: 'bfd', maxLength: null }],
    [{ packing: 'bfd', completionOnly: false }],
    [{ steps: 3, epochs: 1 }],
    [{ warmupSteps: 3, warmupRatio: 0.1 }],
  ])('refuses %j', (options) => {
    expect(() => trainerOf(options)).toThrow(expect.objectContaining({ code: 'COLLIMATE_OPTION_CONFLICT' }))
  })

  it.each([[{ batchSize: 0 }], [{ learningRate: -1 }], [{ packing: 'wrapped' }], [{ completionsOnly: true }]])(
    'its options refuse %j',
    (options) => {
      expect(sftOptions.safeParse(options).success).toBe(false)
    },
  )
})
