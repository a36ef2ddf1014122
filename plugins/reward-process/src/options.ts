import { rulesOption } from '@collimate/rewards'
import { z } from 'zod'

export const processOptions = z
  .strictObject({
    rules: rulesOption
      .optional()
      .describe(
        'rules that score each step by itself, as those of the reward rule: { rule, weight, name, ... }; or give model',
      ),
    model: z
      .string()
      .min(1)
      .optional()
      .describe(
        'folder of a process reward model, with a scalar head that is read at the end of each step; or give rules',
      ),
    output: z
      .enum(['logit', 'probability'])
      .optional()
      .describe('what a step gets of the model: its number as it is (logit), or σ of it (probability); default logit'),
    delimiter: z.string().min(1).optional().describe('text that ends a step; default a line break'),
    stepTokens: z
      .int()
      .positive()
      .optional()
      .describe('tokens of a step, in place of a delimiter; default by delimiter'),
    granularity: z
      .enum(['step', 'token'])
      .default('step')
      .describe(
        'how the reply is written: a number per step (step), or per token with 0 between the ends (token); default step',
      ),
    tokenizer: z
      .string()
      .min(1)
      .optional()
      .describe(
        "folder with the tokenizer of the policy, where steps are scored outside of an experiment; default the policy's",
      ),
    microBatchSize: z
      .int()
      .positive()
      .optional()
      .describe('completions that the model computes at once: memory, not scores; default 8'),
  })
  .superRefine(({ rules, model, output, microBatchSize, delimiter, stepTokens }, context) => {
    const refuse = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message })
    if ((rules === undefined) === (model === undefined)) refuse('model', 'give exactly one of rules and model')
    if (model === undefined && output !== undefined) refuse('output', 'it belongs to model, which is not given')
    if (model === undefined && microBatchSize !== undefined)
      refuse('microBatchSize', 'it belongs to model, which is not given')
    if (delimiter !== undefined && stepTokens !== undefined) refuse('stepTokens', 'steps end by delimiter already')
  })
export type ProcessOptions = z.output<typeof processOptions>
