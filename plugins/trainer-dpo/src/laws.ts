import type { LawSuite } from '@collimate/laws'
import { objectiveSuites } from './objective-laws.js'

/** The laws of every loss of the family. */
export default async function laws(): Promise<LawSuite[]> {
  return objectiveSuites()
}
