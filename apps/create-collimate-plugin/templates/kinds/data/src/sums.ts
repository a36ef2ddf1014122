import { uniform } from '@collimate/core'

/** A row in TRL's columns: what it is depends on its number and the seed alone, so that a run can be resumed. */
export function sumRow(index: number, largest: number, seed: number) {
  const number = (at: number): number => Math.floor(uniform(seed, index, at) * (largest + 1))
  const [a, b] = [number(0), number(1)]
  return {
    prompt: `${a} + ${b} =`,
    completion: ` ${a + b}`,
    chosen: ` ${a + b}`,
    rejected: ` ${a + b + 1}`,
    text: `${a} + ${b} = ${a + b}`,
  }
}
