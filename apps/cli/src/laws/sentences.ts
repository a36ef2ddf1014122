import type { Group } from '@collimate/laws'

/** What a group of laws is about, for someone who has not read the papers. */
export const sentences: Readonly<Record<Group, string>> = {
  'bradley-terry':
    'People compare two answers; the Bradley-Terry model turns rewards into the probability that one is preferred, P(a ≻ b) = σ(r_a − r_b). A loss that claims to be its likelihood must behave like one.',
  partition:
    'The reward that a policy implies is known only up to a term of the prompt, β log Z(x). Losses of differences do not see it; losses of single answers must.',
  'at-reference':
    'Before the first step the policy is its own reference, and each loss has a known value. A run that begins with another one is wrong from the start.',
  optimum:
    'Reward minus β times the divergence from the reference has one maximum in closed form, π* = π_ref exp(r/β)/Z. What is learned is measured against it.',
  gae: 'Generalised advantage estimation trades bias for variance between the TD residual (λ = 0) and the Monte-Carlo return (λ = 1).',
  reinforce:
    'The gradient of an expected reward is an expectation of rewards times gradients of log-probabilities; a baseline that does not look at the action leaves it as it is.',
  ppo: 'PPO takes several steps on the same samples, weighted by how much more likely they have become, and stops where the ratio leaves its clip range.',
  kl: 'The divergence from the reference is estimated from samples. k1, k2 and k3 are three estimators with different biases, as values and as losses.',
  'language-model':
    'A policy is a language model: a token depends on what came before it alone, however examples are padded, packed, batched or cached.',
  'scalar-head':
    'A reward model or critic reads one number off its trunk: the score of a sequence at its last token, the value of a state before each token.',
  backend: 'A backend computes what the float64 interpreter computes, op by op, and keeps its state as it was told.',
  trainer:
    'In a world small enough to list every completion, the best policy is known. A trainer that is right reaches it; one that is subtly wrong reaches another.',
  split:
    'How a batch is cut into micro-batches is a matter of memory. Loss, gradient and metrics are those of the whole.',
  bus: 'Plugins meet on the bus. Every call gets one reply, errors travel back, order is kept and nothing is left behind.',
  resumption: 'A run that is stopped and resumed ends in the same bits as one that was not.',
  data: 'What is trained on is what is in the file: the mask covers the completion with its end, the prompt is a prefix, and what is dropped is counted.',
  options: 'An option that changes nothing is a trap. Each changes some output, or its use is refused.',
  reward: 'A reward source scores each completion by itself, the same each time.',
  objective: 'An objective is its formula, with its whole gradient, finite wherever the inputs are.',
  estimator: 'An estimator turns rewards into advantages that do not depend on padding or order.',
  evaluator: 'An evaluator measures what it says, with an interval that covers it.',
  tracker: 'A tracker watches; it changes nothing and stops nobody.',
}
