import type { Example, TrainingData } from '@collimate/core'

/**
 * All examples of a split in lots of `size`. Those of similar length stand together, so that little is padded and few
 * programs are compiled; the longest come first, so that what memory allows is known at once.
 */
export async function splitInLots(
  data: TrainingData,
  split: 'train' | 'evaluation',
  size: number,
): Promise<readonly (readonly Example[])[]> {
  const count = split === 'train' ? data.trainLength : data.evaluationLength
  const indices = Array.from({ length: count }, (_, index) => index)
  const examples = [...(await data.read(split, indices))].sort((a, b) => lengthOf(b) - lengthOf(a))
  const lots: Example[][] = []
  for (let start = 0; start < count; start += size) lots.push(examples.slice(start, start + size))
  return lots
}

function lengthOf({ prompt, completions }: Example): number {
  return completions.reduce((sum, ids) => sum + ids.length, prompt.length)
}
