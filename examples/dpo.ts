// Direct preference optimisation from code: `npx tsx examples/dpo.ts [model folder] [pairs file]`.
import { onnx } from '@collimate/backend-onnx'
import { experiment } from '@collimate/core'
import { transformer } from '@collimate/policy-transformer'
import { dpo } from '@collimate/trainer-dpo'

const [model = 'runs/story/sft/model', train = 'examples/data/pairs.jsonl'] = process.argv.slice(2)
const run = experiment({
  name: 'dpo-from-code',
  backend: onnx(),
  policy: transformer({ model }),
  trainer: dpo({ beta: 0.1, learningRate: 1e-4, epochs: 1, maxLength: 160 }),
  data: { train, evaluate: 0.1 },
  trackers: [],
})
run.bus.on('metrics.logged', ({ step, metrics }) => console.log(step, metrics.loss))
const { modelFolder, metrics } = await run.finished
console.log(modelFolder, metrics['eval_rewards/accuracies'])
