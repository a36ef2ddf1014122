import type { LawSuite } from './suite.js'
import { lawsOfOptimum } from './world/index.js'

/** The laws of the packages themselves: mathematics, the enumerable world. */
export default async function laws(): Promise<LawSuite[]> {
  return [lawsOfOptimum()]
}
