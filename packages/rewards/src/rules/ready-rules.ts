import type { ReadyRule } from '../ready-rule.js'
import { exactAnswer } from './exact-answer.js'
import { length } from './length.js'
import { lexicon } from './lexicon.js'
import { missingEos } from './missing-eos.js'
import { numericAnswer } from './numeric-answer.js'
import { regex } from './regex.js'
import { repetition } from './repetition.js'

/** The rules that an experiment names, by those names. */
export const readyRules = {
  'exact-answer': exactAnswer,
  'numeric-answer': numericAnswer,
  regex,
  length,
  lexicon,
  repetition,
  'missing-eos': missingEos,
} as const satisfies Readonly<Record<string, ReadyRule>>

export const readyRule = (name: string): ReadyRule | undefined =>
  Object.hasOwn(readyRules, name) ? readyRules[name as keyof typeof readyRules] : undefined
