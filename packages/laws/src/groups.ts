/** The groups of laws, in the order of the catalogue: seventeen of the mathematics and its machinery, then contracts that have few. */
export const groups = {
  'bradley-terry': 'Bradley-Terry: preferences from rewards',
  partition: 'Z(x) cancels: what a prompt-only constant changes',
  'at-reference': 'The loss where the policy is its reference',
  optimum: 'The optimum of reward under a KL penalty',
  gae: 'Generalised advantage estimation',
  reinforce: 'REINFORCE and its baselines',
  ppo: 'PPO on fresh samples and where the clip binds',
  kl: 'Estimators of the KL divergence',
  'language-model': 'Language models: causality, layout, decoding',
  'scalar-head': 'Scalar heads: values and scores',
  backend: 'Backends: values and derivatives',
  trainer: 'Trainers reach their closed-form optimum',
  split: 'Splitting a batch changes nothing',
  bus: 'The bus',
  resumption: 'Stopping and resuming',
  data: 'Datasets and masks',
  options: 'Every option matters',
  reward: 'Reward sources',
  objective: 'Objectives: values and derivatives',
  estimator: 'Estimators',
  evaluator: 'Evaluators',
  tracker: 'Trackers',
} as const

export type Group = keyof typeof groups
