import { CollimateError } from '@collimate/core'
import type { ModelDescription, Policy, Reference } from '@collimate/core'
import { hasLanguageHead, outputsOf, saveModel, weightsHash } from '@collimate/models'
import { createEngine } from './engine.js'
import type { Engine, EngineRequest } from './engine.js'
import { createGenerator } from './generate.js'
import { computeOutputs } from './outputs.js'
import { lossScaling } from './loss-scale.js'
import { createQueue } from './queue.js'
import { restoreSnapshot, takeSnapshot } from './snapshot.js'
import { evaluate, update } from './update.js'
import { createWeightStore } from './weights.js'
import type { FrozenWeights, WeightSource } from './weights.js'

/**
 * A transformer as a policy: weights, optimiser state and caches lie on the backend, and every verb is a tensor program
 * there. Verbs are executed one after another, so an answer never mixes two versions of the weights.
 */
export async function createPolicy(request: EngineRequest): Promise<Policy> {
  const engine = createEngine(request)
  const weights = await createWeightStore(engine.backend, request.files.weights)
  const scaling = lossScaling(request.options.lossScale ?? 'auto', await engine.backend.capabilities())
  const counters = { version: 0, optimizerSteps: 0, lossScale: scaling.initial }
  const { verbs, run, close } = createReader(engine, weights, () => counters.version)

  /** Runs what changes the weights, and frees the programs that the old ones are built into. */
  const change = <Result>(work: () => Promise<Result>): Promise<Result> =>
    run(async () => {
      const before = weights.content()
      const result = await work()
      await engine.programs.forget(before)
      return result
    })

  return {
    ...verbs,

    update: (updateRequest) =>
      change(async () => {
        const { report, lossScale } = await update(engine, weights, updateRequest, { ...counters, scaling })
        counters.optimizerSteps++
        counters.lossScale = lossScale
        return { ...report, version: ++counters.version }
      }),

    snapshot: () =>
      run(() => {
        const { lossScale, ...counts } = counters
        return takeSnapshot(engine.backend, weights, { ...counts, ...(scaling.dynamic && { lossScale }) })
      }),

    restore: ({ snapshot }) =>
      change(async () => {
        await restoreSnapshot(engine.backend, weights, snapshot)
        counters.version = snapshot.version
        counters.optimizerSteps = snapshot.optimizerSteps
        counters.lossScale = (scaling.dynamic && snapshot.lossScale) || scaling.initial
      }),

    save: ({ folder }) => run(async () => saveModel(folder, { ...engine.files, weights: await weights.read() })),

    reference: () => run(async () => createReference(engine, weights.freeze(), counters.version)),

    close,
  }
}

function createReference(engine: Engine, weights: FrozenWeights, version: number): Reference {
  const { verbs, close } = createReader(engine, weights, () => version)
  return { ...verbs, close }
}

/** The verbs that only read the weights, in a queue, with the queue for further verbs. */
function createReader(engine: Engine, weights: WeightSource & { release(): Promise<void> }, version: () => number) {
  const leave = engine.open()
  const enqueue = createQueue()
  let closed: Promise<void> | undefined

  const run = <Result>(work: () => Promise<Result>): Promise<Result> => {
    if (closed === undefined) return enqueue(work)
    return Promise.reject(new CollimateError('COLLIMATE_POLICY_CLOSED', 'the policy was used after it was closed'))
  }

  const outputs: Reference['outputs'] = (request) => run(() => computeOutputs(engine, weights, request))
  const generate = createGenerator(engine, weights)
  const hash = createHash(engine, weights)

  const verbs: Omit<Reference, 'close'> = {
    describe: () => run(async () => ({ ...describe(engine), version: version(), weightsHash: await hash() })),
    outputs,
    async logProbs(request) {
      const { logProbs } = await outputs({ ...request, names: ['logProbs'] })
      if (logProbs === undefined) throw new TypeError('the outputs program gave no logProbs')
      return logProbs
    },
    evaluate: (request) => run(async () => ({ ...(await evaluate(engine, weights, request)), version: version() })),
    generate: (request) =>
      run(async () => {
        requireLanguageHead(engine)
        return generate(request, version())
      }),
  }

  const close = (): Promise<void> =>
    (closed ??= enqueue(async () => {
      await weights.release()
      await leave()
    }))

  return { verbs, run, close }
}

function describe({ files }: Engine): Omit<ModelDescription, 'version' | 'weightsHash'> {
  const { architecture, config, head, weights, bosToken, eosTokens, tokenizer } = files
  const size = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1)
  return {
    architecture: architecture.name,
    parameters: Object.values(weights).reduce((total, { shape }) => total + size(shape), 0),
    vocabularySize: config.vocabularySize,
    contextLength: config.contextLength,
    outputs: outputsOf(head),
    ...(bosToken !== undefined && { bosToken }),
    eosTokens,
    ...(tokenizer !== undefined && { tokenizer }),
  }
}

function requireLanguageHead({ files: { head } }: Engine): void {
  if (hasLanguageHead(head)) return
  throw new CollimateError('COLLIMATE_HEAD_MISSING', `a model with head \`${head}\` does not generate`, {
    hint: 'sample from a causal language model; this one gives values and scores',
  })
}

/** The hash of the weights, computed once for each content. */
function createHash({ backend, files }: Engine, weights: WeightSource): () => Promise<string> {
  const names = Object.keys(files.weights)
  let known: { readonly content: string; readonly hash: string } | undefined
  return async () => {
    const content = weights.content()
    if (known?.content !== content)
      known = { content, hash: weightsHash(await backend.read({ state: weights.state(), names })) }
    return known.hash
  }
}
