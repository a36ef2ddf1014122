export type { Architecture, Attention, Init, ModelConfig, Parameter, TrunkInput } from './architectures/architecture.js'
export type { Gpt2Config } from './architectures/gpt2-config.js'
export { gpt2 } from './architectures/gpt2.js'
export type { LlamaConfig } from './architectures/llama-config.js'
export { llama } from './architectures/llama.js'
export { hasLanguageHead, hasScalarHead, modelHeads, scoreWeight, type ModelHead } from './architectures/model-head.js'
export { architectureOf, architectures } from './architectures/registry.js'
export { createModel, type NewModel } from './files/create-model.js'
export { loadModel } from './files/load-model.js'
export type { ModelFiles } from './files/model-files.js'
export { readSafetensors, writeSafetensors, type FloatType, type Safetensors } from './files/safetensors.js'
export {
  readRewardNormalisation,
  rewardNormalisationOf,
  withRewardNormalisation,
  writeRewardNormalisation,
  type RewardNormalisation,
} from './files/reward-normalisation.js'
export { saveModel } from './files/save-model.js'
export type { WantedHead } from './files/stored-head.js'
export { readTokenizerFiles } from './files/tokenizer-files.js'
export { specialTokenId, tokenIds } from './files/tokenizer-ids.js'
export { weightsHash } from './files/weights-hash.js'
export { adamwFeeds, adamwProgram, clipScale, gradientNormProgram } from './programs/adamw.js'
export type { AdamWStep, TrainedParameters } from './programs/adamw.js'
export { cachedAttention, cacheMask, forestAttention, type CacheView } from './programs/attention.js'
export { batchFeeds } from './programs/batch-feeds.js'
export { batchInputs, batchSizes, unitMasks, type BatchSizes } from './programs/batch-inputs.js'
export { checkBatch, checkObjectiveInputs, type ModelSize } from './programs/check-batch.js'
export { checkGenerate } from './programs/check-generate.js'
export { checkBatches, checkTemperature, checkUpdate, requireFinite, requireUnits } from './programs/check-update.js'
export { countUnits, termScales, type TermDescription } from './programs/count-units.js'
export { modelTensors, type ModelProgramRequest, type ModelTensors } from './programs/model-tensors.js'
export {
  lossProgram,
  objectiveProgram,
  type ObjectiveProgram,
  type ObjectiveProgramRequest,
} from './programs/objective-program.js'
export { objectiveReport } from './programs/objective-report.js'
export { outputsProgram } from './programs/outputs-program.js'
export { firstMomentName, gradientName, secondMomentName, weightInputs } from './programs/parameters.js'
export {
  languageModelOutputs,
  outputsOf,
  scalarOutputs,
  tokenOutputs,
  type LanguageModelOutput,
} from './programs/token-outputs.js'
