import { suiteOf, type LawSuite } from '../suite.js'
import { preferenceLaws } from './bradley-terry-laws.js'
import { ownFormulas, type Formulas } from './formulas.js'
import { gaeLaws } from './gae-laws.js'
import { klControllerLaws } from './kl-controller-laws.js'
import { klLaws } from './kl-laws.js'
import { ppoLaws } from './ppo-laws.js'
import { reinforceLaws } from './reinforce-laws.js'

export interface FormulaLawOptions {
  readonly name: string
  /** The formulas to judge, by name; those that are left out are reported as unsupported. Default: the laws' own. */
  readonly formulas?: Partial<Formulas>
}

/** The laws of pure formulas, checked by enumeration over small random distributions in float64. */
export function lawsOfFormulas({ name, formulas = ownFormulas }: FormulaLawOptions): LawSuite {
  const subject: Formulas = { ...ownFormulas, ...formulas }
  const laws = [preferenceLaws, klLaws, klControllerLaws, gaeLaws, reinforceLaws, ppoLaws].flatMap((of) => of(subject))
  return suiteOf({ contract: 'mathematics', subject: name, laws, claims: { ...formulas } })
}
