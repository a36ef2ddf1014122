import { existsSync } from 'node:fs'
import { CollimateError } from '@collimate/core'
import type { Example, ModelDescription, PluginEntry, TrainingData } from '@collimate/core'
import { createTokenizer } from '@collimate/data'
import { heldOutPrompts } from '@collimate/rollouts'
import type { EntryText } from '../plugin-entry.js'
import { pluginEntry } from '../plugin-entry.js'
import { readPrompts, tokenizePrompts } from '../prompts.js'
import type { Workshop } from './workshop.js'

/** Where prompts come from: a file of rows, or the held-out split of a data source. */
export type PromptOrigin =
  { readonly file: string } | { readonly entry: PluginEntry<'data'>; readonly folder: string; readonly seed: number }

/** The same prompts for every model, in the tokens of each. */
export interface PromptSource {
  /** As the held-out split of a run. */
  promptsOf(model: Pick<ModelDescription, 'tokenizer' | 'contextLength'>): Promise<TrainingData>
}

/** `--data`: a file of rows, or a data source in braces or in a file of code, of which the held-out split is meant. */
export function promptOrigin(text: string, seed: number): PromptOrigin {
  const entry: EntryText = pluginEntry(text, '--data')
  const isCode = /\.[mc]?[jt]s$/.test(text)
  return typeof entry === 'string' && !isCode ? { file: text } : { entry, folder: process.cwd(), seed }
}

/** The first `most` prompts of an origin, each once. */
export function promptSource(origin: PromptOrigin, most: number, workshop: Workshop): PromptSource {
  if ('file' in origin && !existsSync(origin.file))
    throw new CollimateError('COLLIMATE_DATA_FILE_MISSING', `there is no file ${origin.file}`, { hint: 'check --data' })
  const known = new Map<string, Promise<TrainingData>>()
  return {
    promptsOf({ tokenizer, contextLength }) {
      if (!tokenizer)
        throw new CollimateError(
          'COLLIMATE_TOKENIZER_MISSING',
          'a model without tokenizer.json cannot answer prompts',
          {
            hint: 'save the tokenizer of the model into its folder',
          },
        )
      // Models that began as one have equal tokenizers: the rows are read once.
      const key = JSON.stringify(tokenizer)
      const found = known.get(key)
      if (found) return found
      const reading = read()
      known.set(key, reading)
      return reading

      async function read(): Promise<TrainingData> {
        if ('file' in origin) {
          const rows = await readPrompts(origin.file)
          return heldOut(await firstOf(heldOut(tokenizePrompts(rows, createTokenizer(tokenizer!), false)), most))
        }
        const source = await workshop.data(origin.entry, origin.folder)
        const info = await source.open({
          ...{ type: 'prompt-only', tokenizer: tokenizer!, maxLength: contextLength, truncation: 'keep_end' },
          seed: origin.seed,
        })
        const evaluationLength = info.evaluation?.length ?? 0
        const data: TrainingData = {
          ...heldOut([]),
          evaluationLength,
          read: (split, indices) => source.read({ split, indices }),
        }
        return heldOut(await firstOf(data, most))
      }
    },
  }
}

async function firstOf(data: TrainingData, most: number): Promise<readonly Example[]> {
  const examples = await heldOutPrompts(data, most)
  if (examples.length > 0) return examples
  throw new CollimateError('COLLIMATE_EVALUATION_EMPTY', 'there are no prompts: the data has no held-out rows', {
    hint: 'name a file of prompts with --data',
  })
}

function heldOut(examples: readonly Example[]): TrainingData {
  return {
    ...{ trainLength: 0, trainFingerprint: '', evaluationLength: examples.length, evaluationFingerprint: '' },
    next: async () => [],
    read: async (_, indices) => indices.map((index) => examples[index]),
  }
}
