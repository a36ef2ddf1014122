import type { Measurement } from '@collimate/core'
import { evaluationMetrics } from '@collimate/rollouts'
import type { Evaluated } from '@collimate/rollouts'
import { Command } from 'commander'
import { withBackendFlags } from '../backend-flags.js'
import type { BackendOptions } from '../backend-flags.js'
import { exitStatus, usageError } from '../failure.js'
import { collect, integer, number } from '../flags.js'
import { measureModel } from '../measure/measure-model.js'
import { promptOrigin, promptSource } from '../measure/prompt-source.js'
import { openWorkshop } from '../measure/workshop.js'
import { assertWritableFile, writeWhole } from '../output-file.js'
import { namedReward } from '../plugin-entry.js'
import { createStatus } from '../status.js'
import { stoppable } from '../stoppable.js'
import { table } from '../table.js'

interface EvalOptions extends BackendOptions {
  readonly model?: string
  readonly data?: string
  readonly reward: readonly string[]
  readonly reference?: string
  readonly prompts: number
  readonly maxNewTokens: number
  readonly temperature: number
  readonly topP: number
  readonly seed: number
  readonly samples: number
  readonly output?: string
  readonly json?: boolean
}

/** `collimate eval`: what a model's answers are worth. */
export function evalCommand(): Command {
  const command = new Command('eval')
    .description('measure a model on held-out prompts: rewards, KL to a reference, lengths')
    .option('--model <folder>', 'Hugging Face folder of the model')
    .option('--data <file>', 'prompts: .txt (one a line), JSON or JSONL (.gz) with a column `prompt`, or a data source')
    .option(
      '--reward <entry>',
      'reward: folder of a reward model, a file, a name, or { use: ... }; NAME=... names it; may be repeated',
      collect,
      [],
    )
    .option('--reference <folder>', 'model that the KL is measured to')
    .option('--prompts <number>', 'most prompts that are answered', integer, 128)
    .option('--max-new-tokens <number>', 'most tokens of an answer', integer, 64)
    .option('--temperature <number>', 'divides the logits; 0 = always the most likely token', number, 1)
    .option('--top-p <number>', 'sample from the most likely tokens that hold this probability', number, 1)
    .option('--seed <number>', 'seed of the sampling', integer, 42)
    .option('--samples <number>', 'answers that are shown', integer, 2)
    .option('--output <file>', 'write every number and answer to this JSON file')
    .option('--json', 'print that JSON in place of the table')
  return withBackendFlags(command)
    .addHelpText(
      'after',
      `
Each measure is a mean over answers with a 95 % interval. The KL is in nats per answer.

Examples:
  collimate eval --model out/ppo --reference ./sft --data prompts.jsonl --reward ./reward-model
  collimate eval --model out/dpo --data held-out.jsonl --reward gold=./gold.ts --reward proxy=./reward-model --output dpo.json`,
    )
    .action(evaluate)
}

async function evaluate(options: EvalOptions): Promise<void> {
  const { model, data, reference, prompts, maxNewTokens, temperature, topP, seed } = options
  if (model === undefined)
    throw usageError('--model is missing', 'collimate eval --model FOLDER --data FILE --reward R')
  if (data === undefined) throw usageError('--data is missing', 'see `collimate eval --help`')
  if (options.reward.length === 0 && reference === undefined)
    throw usageError('nothing to measure', 'give --reward, or --reference for the KL')
  for (const [flag, value] of Object.entries({ prompts, 'max-new-tokens': maxNewTokens }))
    if (value < 1) throw usageError(`--${flag} is ${value}; it must be at least 1`)
  const named = options.reward.map(namedReward)
  const twice = named.find(({ name }, at) => named.findIndex((other) => other.name === name) !== at)
  if (twice) throw usageError(`two rewards are called "${twice.name}"`, '--reward NAME=...')
  if (options.output !== undefined) assertWritableFile(options.output)
  const origin = promptOrigin(data, seed)
  const status = createStatus(process.stderr)
  const workshop = await openWorkshop(options)
  try {
    const source = promptSource(origin, prompts, workshop)
    const { evaluated, interrupted } = await stoppable(async (signal) => {
      const cwd = process.cwd()
      status.show('loading')
      const { policy } = await workshop.policy({ use: 'transformer', model }, cwd)
      const to =
        reference === undefined ? undefined : await workshop.policy({ use: 'transformer', model: reference }, cwd)
      const rewards: Record<string, Awaited<ReturnType<typeof workshop.reward>>> = {}
      for (const { name, entry } of named) rewards[name] = await workshop.reward(entry, cwd)
      try {
        const found = await measureModel({
          ...{ policy, rewards, prompts: source, signal },
          ...(to && { reference: to.policy }),
          sampling: { maxNewTokens, temperature, seed, ...(topP < 1 && { topP }) },
          onProgress: (done, total) => status.show('answering prompts', `${done} of ${total}`),
        })
        return { evaluated: found, interrupted: false }
      } catch (error) {
        if (signal.aborted) return { evaluated: undefined, interrupted: true }
        throw error
      }
    }, 'these prompts')
    status.clear()
    if (interrupted || !evaluated) process.exitCode = exitStatus.interrupted
    else tell(evaluated, options)
  } finally {
    status.clear()
    await workshop.close()
  }
}

function tell(evaluated: Evaluated, options: EvalOptions): void {
  const metrics = evaluationMetrics(evaluated)
  const { model, data, reference, maxNewTokens, temperature, topP, seed } = options
  const whole = {
    ...{ model, data, ...(reference !== undefined && { reference }) },
    ...{ prompts: evaluated.rollouts.length, maxNewTokens, temperature, topP, seed, metrics },
    answers: evaluated.rollouts.map(({ prompt, completion }, at) => ({
      ...{ prompt: prompt.text, completion: completion.text, tokens: completion.ids.length },
      rewards: Object.fromEntries(Object.entries(evaluated.rewards).map(([name, values]) => [name, values[at]])),
      ...(evaluated.kl && { kl: evaluated.kl[at] }),
    })),
  }
  const written = `${JSON.stringify(whole, null, 2)}\n`
  if (options.output !== undefined) writeWhole(options.output, written)
  if (options.json) return void process.stdout.write(written)
  for (const { prompt, completion, rewards } of whole.answers.slice(0, options.samples)) {
    const scores = Object.entries(rewards).map(([name, value]) => `${name} ${value.toFixed(2)}`)
    process.stdout.write(`> ${prompt.trim().replace(/\n/g, '\n> ')}\n${completion.trim()}\n(${scores.join(', ')})\n\n`)
  }
  process.stdout.write(`${table(Object.entries(metrics).map(([name, value]) => row(name, value)))}\n`)
}

function row(name: string, { value, low, high, count }: Measurement): string[] {
  const interval = low === undefined || high === undefined ? '' : `[${low.toFixed(4)}, ${high.toFixed(4)}]`
  return [name, value.toFixed(4), interval, count === undefined ? '' : `n = ${count}`]
}
