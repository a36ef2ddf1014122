import { CollimateError } from '@collimate/core'
import type {
  HostTensor,
  ModelDescription,
  ModelSnapshot,
  Objective,
  ObjectiveUse,
  Policy,
  Reference,
} from '@collimate/core'
import type { Tensor } from '@collimate/graph'
import {
  checkBatch,
  checkBatches,
  checkGenerate,
  checkTemperature,
  checkUpdate,
  hasLanguageHead,
  hasScalarHead,
  outputsOf,
} from '@collimate/models'
import { contextsOf, type Contexts } from './contexts.js'
import { generateFrom } from './tabular-generate.js'
import {
  freshStates,
  hashOf,
  rowWidth,
  stateNames,
  tableName,
  tabularPrograms,
  type States,
  type TabularHead,
} from './tabular-programs.js'
import { endToken, vocabularySize, type Table, type World } from './world.js'

export interface TabularOptions {
  /** The objectives that `update` and `evaluate` may name. */
  readonly objective?: (use: ObjectiveUse) => Objective | Promise<Objective>
  /**
   * [X][Y] what it begins with: log-probabilities, default the world's reference; scores of the completions, default 0.
   */
  readonly start?: Table
  /**
   * `score`: a model with the outputs `values` and `scores` alone, such as a reward model or a critic; `language+score`: a
   * policy that has them too, 0 at first. Default `language`.
   */
  readonly head?: TabularHead
}

/**
 * A policy with one logit for each token in each context of a world: it can be any distribution over the completions, and
 * holds to the contract exactly, in float64. With head `score` it has one number for each context, those of whole
 * completions among them, so it can be any reward and any value function. What the world does not know shares one context.
 * It has no folder to be saved to: `save` is refused with COLLIMATE_SAVE_UNSUPPORTED.
 */
export function tabularPolicy(world: World, options: TabularOptions = {}): Policy {
  const { head = 'language' } = options
  const contexts = contextsOf(world, { finished: hasScalarHead(head) })
  const tokens = vocabularySize(world)
  const contextLength = Math.max(...world.prompts.map((prompt) => prompt.length)) + world.maxLength
  const programs = tabularPrograms({ contexts, tokens, contextLength, head })
  const { config } = programs.model
  const width = rowWidth(head, tokens)
  const table = hasLanguageHead(head)
    ? widened(logitsOf(world, contexts, options.start ?? world.reference), tokens, width)
    : scoresOf(world, contexts, options.start)
  const states = freshStates(table, programs.shape)
  let counters = { version: 0, optimizerSteps: 0 }
  let trained = false
  async function objectiveOf(use: ObjectiveUse): Promise<Objective<Tensor>> {
    const made = await options.objective?.(use)
    // Every objective is written for the one symbolic tensor type that there is.
    if (made) return made as Objective<Tensor>
    throw new CollimateError('COLLIMATE_PLUGIN_UNKNOWN', `the tabular policy was given no objective "${use.use}"`)
  }

  /** The verbs that only read: of the policy as it is, or of a frozen table. */
  function reader(from: States, version: () => number) {
    let closed = false
    const open = (): void => {
      if (closed) throw new CollimateError('COLLIMATE_POLICY_CLOSED', 'the policy was used after it was closed')
    }
    const description = (): ModelDescription => ({
      ...{ architecture: 'tabular', parameters: from[tableName].data.length, vocabularySize: tokens, contextLength },
      ...{ outputs: outputsOf(head), eosTokens: [endToken], version: version(), weightsHash: hashOf(from) },
    })
    const outputs: Reference['outputs'] = async ({ batch, names, temperature = 1 }) => {
      open()
      checkBatch(batch, config)
      return programs.outputs(batch, names, temperature, from)
    }
    const close = async (): Promise<void> => {
      closed = true
    }
    const verbs: Omit<Reference, 'close'> = {
      async describe() {
        open()
        return description()
      },
      outputs,
      async logProbs(request) {
        const { logProbs } = await outputs({ ...request, names: ['logProbs'] })
        return logProbs as Float64Array
      },
      async evaluate(request) {
        open()
        const objective = await objectiveOf(request.objective)
        checkBatches(request.batches, objective, config)
        checkTemperature(request.temperature ?? 1)
        return { ...programs.objective(request, objective, from, false), gradNorm: 0, version: version() }
      },
      async generate(request) {
        open()
        if (head === 'score')
          throw new CollimateError('COLLIMATE_HEAD_MISSING', 'a tabular model of scores does not generate')
        checkGenerate(request, config)
        const { data } = from[tableName]
        const nextTokens = (context: number) => Array.from(data.slice(context * width, context * width + tokens))
        return { ...generateFrom(nextTokens, contexts, contextLength, request), version: version() }
      },
    }
    return { verbs, open, close }
  }

  const { verbs, open, close } = reader(states, () => counters.version)
  return {
    ...verbs,
    close,

    async update(request) {
      open()
      const objective = await objectiveOf(request.objective)
      checkUpdate(request)
      checkBatches(request.batches, objective, config)
      checkTemperature(request.temperature ?? 1)
      const report = programs.objective(request, objective, states, true)
      const gradNorm = programs.optimise(request, counters.optimizerSteps + 1, states)
      counters = { version: counters.version + 1, optimizerSteps: counters.optimizerSteps + 1 }
      trained = true
      return { ...report, gradNorm, version: counters.version }
    },

    async snapshot() {
      open()
      const names = trained ? stateNames : [tableName]
      return { ...counters, tensors: Object.fromEntries(names.map((name) => [name, copyOf(states[name])])) }
    },

    async restore({ snapshot }) {
      open()
      const { version, optimizerSteps, tensors } = checked(snapshot, programs.shape)
      trained = stateNames[1] in tensors
      for (const name of stateNames) {
        if (name in tensors) states[name].data.set(tensors[name].data)
        else states[name].data.fill(0)
      }
      counters = { version, optimizerSteps }
    },

    async save() {
      open()
      throw new CollimateError('COLLIMATE_SAVE_UNSUPPORTED', 'a tabular policy is no model folder', {
        hint: 'it lives in the enumerable world alone; keep its snapshot',
      })
    },

    async reference() {
      open()
      const frozen: States = { [tableName]: copyOf(states[tableName]) }
      const { version } = counters
      const frozenReader = reader(frozen, () => version)
      return { ...frozenReader.verbs, close: frozenReader.close }
    },
  }
}

const copyOf = ({ dtype, shape, data }: HostTensor): HostTensor => ({ dtype, shape, data: data.slice() })

/**
 * The logits whose completions have these log-probabilities: in each context, the log of the mass that goes on with each
 * token, against the mass of the context.
 */
function logitsOf(world: World, contexts: Contexts, start: Table): Float64Array {
  const tokens = vocabularySize(world)
  const masses = new Float64Array(contexts.count * tokens).fill(-Infinity)
  const add = (slot: number, logProb: number): void => {
    const [most, least] = [Math.max(masses[slot], logProb), Math.min(masses[slot], logProb)]
    masses[slot] = least === -Infinity ? most : most + Math.log1p(Math.exp(least - most))
  }
  world.prompts.forEach((prompt, x) =>
    world.completions.forEach((completion, y) => {
      let context = contexts.of(prompt)
      for (const token of completion) {
        add(context * tokens + token, start[x][y])
        context = contexts.next(context, token)
      }
    }),
  )
  // Contexts that no completion passes (within prompts, elsewhere) begin uniform.
  return masses.map((mass) => (mass === -Infinity ? 0 : mass))
}

/** Rows of `from` numbers as rows of `to`, with 0 behind them. */
function widened(table: Float64Array, from: number, to: number): Float64Array {
  const wide = new Float64Array((table.length / from) * to)
  table.forEach((value, slot) => (wide[Math.floor(slot / from) * to + (slot % from)] = value))
  return wide
}

/** Scores of whole completions; 0 in all other contexts. */
function scoresOf({ prompts, completions }: World, contexts: Contexts, start?: Table): Float64Array {
  const scores = new Float64Array(contexts.count)
  start?.forEach((row, x) =>
    row.forEach((score, y) => (scores[contexts.of([...prompts[x], ...completions[y]])] = score)),
  )
  return scores
}

function checked(snapshot: ModelSnapshot, shape: readonly number[]): ModelSnapshot {
  const wrong = (problem: string) =>
    new CollimateError('COLLIMATE_SNAPSHOT_INVALID', `snapshot: ${problem}`, {
      hint: 'Restore a snapshot into the model that it was taken of.',
    })
  const { tensors, version, optimizerSteps } = snapshot
  for (const [field, count] of Object.entries({ version, optimizerSteps }))
    if (!Number.isSafeInteger(count) || count < 0) throw wrong(`${field} is ${count}, not a count`)
  const known: readonly string[] = stateNames
  const names = stateNames[1] in tensors || stateNames[2] in tensors ? known : [tableName]
  for (const name of names) {
    const tensor = tensors[name]
    if (tensor?.dtype !== 'float' || tensor.shape.join() !== shape.join())
      throw wrong(`tensor ${name} must be float [${shape.join(', ')}]`)
  }
  const unknown = Object.keys(tensors).find((name) => !names.includes(name))
  if (unknown !== undefined) throw wrong(`tensor ${unknown} is none of the model's`)
  return snapshot
}
