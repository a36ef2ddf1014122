import type { z } from 'zod'
import type { RuleFunction } from './rule.js'

export interface RuleSurroundings {
  /** Resolves a path of the experiment against the folder of its file. */
  path(relative: string): string
}

/** A rule that has a name and options of its own. */
export interface ReadyRule<Options extends z.ZodObject = z.ZodObject> {
  /** Strict; every option says its unit and default. */
  readonly options: Options
  create(options: z.output<Options>, surroundings: RuleSurroundings): RuleFunction | Promise<RuleFunction>
}
