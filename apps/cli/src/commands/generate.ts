import { CollimateError } from '@collimate/core'
import type { Example, Policy, Sampling } from '@collimate/core'
import { createTokenizer } from '@collimate/data'
import type { Tokenizer } from '@collimate/data'
import { Command } from 'commander'
import { withBackendFlags } from '../backend-flags.js'
import type { BackendOptions } from '../backend-flags.js'
import { openPolicy } from '../create.js'
import { usageError } from '../failure.js'
import { collect, integer, number } from '../flags.js'
import { promptRows, readPrompts, tokenizePrompts } from '../prompts.js'

interface GenerateOptions extends BackendOptions {
  readonly model?: string
  readonly prompt: readonly string[]
  readonly prompts?: string
  readonly maxNewTokens: number
  readonly temperature: number
  readonly topK?: number
  readonly topP?: number
  readonly seed: number
  readonly stop: readonly string[]
  readonly chat?: boolean
  readonly batchSize: number
  readonly json?: boolean
}

interface Completion {
  readonly prompt: string
  readonly text: string
  readonly tokens: number
  readonly endedBy: 'stop' | 'length'
}

/** `collimate generate`: samples from a model folder. */
export function generateCommand(): Command {
  const command = new Command('generate')
    .description('continue prompts with a model')
    .option('--model <folder>', 'Hugging Face folder of the model')
    .option('--prompt <text>', 'prompt to continue; may be repeated', collect, [])
    .option('--prompts <file>', 'file of prompts: .txt (one a line), or JSON, JSONL (.gz) with a column `prompt`')
    .option('--max-new-tokens <number>', 'most tokens of a completion', integer, 128)
    .option('--temperature <number>', 'divides the logits; 0 = always the most likely token', number, 1)
    .option('--top-k <number>', 'sample from the k most likely tokens', integer)
    .option('--top-p <number>', 'sample from the most likely tokens that hold this probability', number)
    .option(
      '--seed <number>',
      'seed of the sampling; the sample does not depend on how prompts are batched',
      integer,
      42,
    )
    .option('--stop <text>', 'end a completion before this text; may be repeated', collect, [])
    .option('--chat', "say the prompt as a user, in the model's chat template")
    .option('--batch-size <number>', 'prompts that are continued together', integer, 64)
    .option('--json', 'one JSON object a line: prompt, text, tokens, endedBy')
  return withBackendFlags(command)
    .addHelpText(
      'after',
      `
Examples:
  collimate generate --model ./model --prompt "Once upon a time" --temperature 0
  collimate generate --model out/aligned --prompts prompts.jsonl --top-p 0.9 --json > samples.jsonl
  collimate generate --model ./chat-model --chat --prompt "Who are you?"`,
    )
    .action(generate)
}

async function generate(options: GenerateOptions): Promise<void> {
  if (options.model === undefined)
    throw usageError('--model is missing', 'collimate generate --model FOLDER --prompt TEXT')
  if (options.prompt.length === 0 && options.prompts === undefined) throw usageError('give --prompt or --prompts')
  if (options.batchSize < 1) throw usageError(`--batch-size is ${options.batchSize}; it must be at least 1`)
  const rows = [
    ...promptRows(options.prompt),
    ...(options.prompts === undefined ? [] : await readPrompts(options.prompts)),
  ]
  const { policy, close } = await openPolicy(options.model, options)
  try {
    const tokenizer = await tokenizerOf(policy, options.model)
    const examples = tokenizePrompts(rows, tokenizer, options.chat === true)
    for (let start = 0; start < examples.length; start += options.batchSize) {
      const batch = examples.slice(start, start + options.batchSize)
      for (const completion of await complete(policy, tokenizer, batch, start, options)) {
        process.stdout.write(options.json ? `${JSON.stringify(completion)}\n` : plain(completion, examples.length > 1))
      }
    }
  } finally {
    await close()
  }
}

async function tokenizerOf(policy: Policy, model: string): Promise<Tokenizer> {
  const { tokenizer } = await policy.describe()
  if (tokenizer !== undefined) return createTokenizer(tokenizer)
  throw new CollimateError('COLLIMATE_TOKENIZER_MISSING', `${model} has no tokenizer.json`, {
    hint: 'save the tokenizer of the model into its folder',
  })
}

async function complete(
  policy: Policy,
  tokenizer: Tokenizer,
  examples: readonly Example[],
  start: number,
  options: GenerateOptions,
): Promise<Completion[]> {
  const { completions, endedBy } = await policy.generate({
    prompts: examples.map(({ prompt }) => prompt),
    sampling: await samplingOf(policy, tokenizer, options),
    streams: examples.map((_, index) => start + index),
    batchSize: options.batchSize,
  })
  return completions.map((ids, index) => {
    const { prompt, text } = examples[index]
    const whole = tokenizer.decodeAfter(prompt, ids, { skipSpecialTokens: true })
    const cut = cutAt(whole, options.stop)
    return {
      prompt: text.prompt,
      text: cut,
      tokens: ids.length,
      endedBy: cut.length < whole.length ? 'stop' : endedBy[index],
    }
  })
}

/** A stop text of a single token ends the sampling; a longer one only cuts the text. */
async function samplingOf(policy: Policy, tokenizer: Tokenizer, options: GenerateOptions): Promise<Sampling> {
  const { maxNewTokens, temperature, topK, topP, seed, stop } = options
  const single = stop.map((text) => tokenizer.encode(text)).filter((ids) => ids.length === 1)
  const { eosTokens } = await policy.describe()
  return {
    ...{ maxNewTokens, temperature, seed },
    ...(topK !== undefined && { topK }),
    ...(topP !== undefined && { topP }),
    ...(single.length > 0 && { stopTokens: [...eosTokens, ...single.map((ids) => ids[0])] }),
  }
}

function cutAt(text: string, stops: readonly string[]): string {
  const ends = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0)
  return ends.length === 0 ? text : text.slice(0, Math.min(...ends))
}

/** One prompt: its completion alone. Several: each with its prompt before it. */
function plain({ prompt, text }: Completion, several: boolean): string {
  return several ? `> ${prompt.replace(/\n/g, '\n> ')}\n${text.trim()}\n\n` : `${text}\n`
}
