import type { Colour, Shape } from './chart.js'

interface Look {
  readonly colour: Colour
  readonly shape: Shape
}

const looks: Readonly<Record<string, Look>> = {
  reference: { colour: 'var(--ink)', shape: 'square' },
  sft: { colour: 'var(--ink)', shape: 'square' },
  dpo: { colour: 'var(--blue)', shape: 'circle' },
  reinforce: { colour: 'var(--orange)', shape: 'triangle' },
  ppo: { colour: 'var(--green)', shape: 'diamond' },
  reward: { colour: 'var(--purple)', shape: 'circle' },
}
const others: readonly Look[] = [
  { colour: 'var(--purple)', shape: 'circle' },
  { colour: 'var(--red)', shape: 'triangle' },
  { colour: 'var(--brown)', shape: 'diamond' },
]

/** Colour and shape of a method, the same in every picture of a report. */
export function lookOf(method: string, methods: readonly string[]): Look {
  const unknown = methods.filter((name) => !(name in looks))
  return looks[method] ?? others[unknown.indexOf(method) % others.length] ?? others[0]
}
