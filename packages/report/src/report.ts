/** What a comparison found: report.json, and all that the page is drawn from. */
import { z } from 'zod'

export const measurementSchema = z.strictObject({
  value: z.number(),
  low: z.number().optional(),
  high: z.number().optional(),
  count: z.number().optional(),
})

const byName = z.record(z.string(), measurementSchema)

/** A run, as its folder says it. */
export const runSchema = z.strictObject({
  /** Unique in the report. */
  id: z.string(),
  folder: z.string(),
  arm: z.string(),
  seed: z.number(),
  status: z.enum(['running', 'done', 'stopped', 'failed']),
  /** Why it failed. */
  error: z.string().optional(),
  steps: z.number(),
  totalSteps: z.number(),
  /** Wall time from its first step to its end: training, evaluation, saving. */
  seconds: z.number().optional(),
  resources: z
    .strictObject({
      models: z.array(z.strictObject({ role: z.string(), parameters: z.number() })),
      stateBytes: z.number(),
      processBytes: z.number(),
      processBytesBefore: z.number().optional(),
      trainedTokens: z.number(),
      generatedTokens: z.number(),
      trainingSeconds: z.number(),
    })
    .optional(),
  /** The metric of training that tells most about it. */
  curve: z.strictObject({ metric: z.string(), points: z.array(z.tuple([z.number(), z.number()])) }).optional(),
  /** What was measured on held-out data, by step; names without `eval_`. KL only where it is to the reference of the run. */
  evaluations: z.array(z.strictObject({ step: z.number(), metrics: byName })),
})

/** A method with its settings; runs that differ in their seeds alone are one. */
export const armSchema = z.strictObject({
  id: z.string(),
  label: z.string(),
  /** `sft`, `dpo`, `reinforce`, `ppo`, `reward`, or another trainer; `reference` for a model without a run. */
  method: z.string(),
  /** What it differs in from other arms of its method. */
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  runs: z.array(z.string()),
  /** A model that others are measured against. */
  isReference: z.boolean(),
  /** Measured now, on the prompts of all: rewards by name, `kl`, `length`, `clipped`. Absent for reward models. */
  final: byName.optional(),
  /** Share of prompts that it wins against its reference. */
  winsAgainstReference: measurementSchema.optional(),
  /** How much more of the reward that decides its answers have than those of its reference to the same prompts, in the mean. */
  gainOverReference: measurementSchema.optional(),
  /** Evaluations during training, seeds pooled by step. */
  evaluations: z.array(z.strictObject({ step: z.number(), metrics: byName })),
})

const frontierPointSchema = z.strictObject({
  beta: z.number().nullable(),
  kl: measurementSchema,
  rewards: byName,
  effectiveSamples: z.number().optional(),
})

/** What each method costs and how much hangs on its settings. */
export const methodSchema = z.strictObject({
  method: z.string(),
  label: z.string(),
  arms: z.array(z.string()),
  runs: z.number(),
  /** Of one run, those of evaluators not counted. */
  models: z.array(z.strictObject({ role: z.string(), parameters: z.number() })),
  parameters: z.number(),
  /** The most of any run. */
  stateBytes: z.number().optional(),
  processBytes: z.number().optional(),
  /** What the process held already when that run began: stages of a pipeline share one. */
  processBytesBefore: z.number().optional(),
  /** Means over runs. */
  trainingSeconds: z.number().optional(),
  steps: z.number(),
  trainedTokens: z.number().optional(),
  generatedTokens: z.number().optional(),
  /** The arm with the highest reward of the judge. */
  best: z.string().optional(),
  /** Lowest and highest reward of the judge over the arms. */
  spread: z.strictObject({ lowest: z.number(), highest: z.number(), settings: z.number() }).optional(),
})

/** How a reward model's preferences compare with those of held-out pairs. */
export const calibrationSchema = z.strictObject({
  run: z.string(),
  label: z.string(),
  accuracy: measurementSchema.optional(),
  /** Expected calibration error. */
  error: measurementSchema.optional(),
  /** By predicted probability that the answer of the higher reward is the chosen one, and the share in which it was. */
  bins: z.array(z.strictObject({ predicted: z.number(), observed: measurementSchema })),
})

export const reportSchema = z.strictObject({
  format: z.literal(1),
  title: z.string(),
  createdAt: z.string(),
  /** Where the runs were made. */
  machine: z.record(z.string(), z.union([z.string(), z.number()])),
  /** How the models were measured for this report; absent where only the records of runs were read. */
  measured: z
    .strictObject({
      prompts: z.number(),
      maxNewTokens: z.number(),
      temperature: z.number(),
      topP: z.number(),
      seed: z.number(),
      /** Names of rewards that were measured. */
      rewards: z.array(z.string()),
      /** The one that decides who wins. */
      judge: z.string().optional(),
    })
    .optional(),
  arms: z.array(armSchema),
  runs: z.array(runSchema),
  methods: z.array(methodSchema),
  /** Best policies by the name of the reward that they optimise. */
  frontiers: z.array(
    z.strictObject({
      reward: z.string(),
      prompts: z.number(),
      /** Of the reference, and of each policy. */
      samplesPerPrompt: z.number(),
      /** Trained policies that were sampled beside the reference, so that the estimate reaches as far as they have come. */
      policies: z.array(z.string()),
      fewestEffectiveSamples: z.number(),
      points: z.array(frontierPointSchema),
    }),
  ),
  /** Best of n samples of the reference, chosen by the reward that training sees. */
  bestOfN: z
    .strictObject({
      by: z.string(),
      points: z.array(z.strictObject({ n: z.number(), kl: z.number(), rewards: byName })),
    })
    .optional(),
  /** Fits of the gain over the reference, by method and reward. */
  fits: z.array(
    z.strictObject({
      method: z.string(),
      reward: z.string(),
      form: z.enum(['rl', 'best-of-n']),
      alpha: z.number(),
      beta: z.number(),
      peak: z.number().optional(),
      residual: z.number(),
      points: z.number(),
    }),
  ),
  winRates: z
    .strictObject({ arms: z.array(z.string()), cells: z.array(z.array(measurementSchema.nullable())) })
    .optional(),
  calibrations: z.array(calibrationSchema),
  samples: z.array(
    z.strictObject({
      prompt: z.string(),
      answers: z.array(z.strictObject({ arm: z.string(), text: z.string(), score: z.number().optional() })),
    }),
  ),
  /** What is missing from it, and why. */
  notes: z.array(z.string()),
})

export type Report = z.output<typeof reportSchema>
export type ReportRun = z.output<typeof runSchema>
export type ReportArm = z.output<typeof armSchema>
export type ReportMethod = z.output<typeof methodSchema>
export type ReportCalibration = z.output<typeof calibrationSchema>
