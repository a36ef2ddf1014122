import { errorLine } from '@collimate/core'
import fc from 'fast-check'
import { law, type Law, require, Violation } from '../law.js'
import { codeOf } from '../refused.js'
import type { Alternative, OptionsSubject, Outcome } from './index.js'
import { type Option, type Options, withOption } from './schema.js'

const source =
  'torchtune’s whiten_rewards, TRL’s label_smoothing, ms-swift#10167: options that are accepted and ignored'

/** One law per public option, and one that no evidence is given for options that are not there. */
export function matterLaws(subject: OptionsSubject, options: readonly Option[]): Law[] {
  const { alternatives } = subject
  const seen = options.filter(({ name }) => !('unobservable' in (alternatives[name] ?? {})))
  return [...seen.map((option) => matters(subject, option)), evidence(subject, options)]
}

const written = (options: Options): string => JSON.stringify(options)

function matters(subject: OptionsSubject, { name, description }: Option): Law {
  const uses = subject.alternatives[name] as readonly Alternative[] | undefined
  return law<Alternative | undefined>({
    name: `options/matters/${name}`,
    statement: `The option ${name} changes what comes out, or its use is refused`,
    formula: `output(${name}: a) ≠ output(${name}: b), or COLLIMATE_...`,
    source,
    cost: 100,
    arbitrary: fc.constant(undefined),
    show: () =>
      uses === undefined
        ? 'no use of it is given'
        : `${uses.map(({ value }) => `${name}: ${JSON.stringify(value)}`).join('; ')} (${description || 'not described'})`,
    holds: async () => {
      if (uses === undefined || uses.length === 0) {
        throw new Violation(
          `nothing shows what ${name} does: add to \`alternatives\` a value of it that changes the output, one that is refused, or why it cannot be seen`,
        )
      }
      for (const use of uses) await shows(subject, name, use)
    },
  })
}

async function shows({ base, outcome }: OptionsSubject, name: string, use: Alternative): Promise<void> {
  const without = { ...base, ...use.with }
  const options = withOption(without, name, use.value)
  const found = await outcome(options)
  if (use.refused !== undefined) {
    const code = 'error' in found ? codeOf(found.error) : undefined
    require('error' in found, `${written(options)} is accepted; the law says it is refused`)
    require(use.refused === true
      ? code?.startsWith('COLLIMATE_') === true
      : code ===
          use.refused, `${written(options)} is refused with ${said(found)}; the law says ${use.refused === true ? 'a code COLLIMATE_...' : use.refused}`)
    return
  }
  const before = await outcome(without)
  for (const [given, came] of [
    [without, before],
    [options, found],
  ] as const)
    require('output' in came, `${written(given)} cannot be used: ${said(came)}`)
  if ('output' in found && 'output' in before)
    require(found.output !==
      before.output, `the output with ${written(options)} is that with ${written(without)}: ${name} does nothing`)
}

const said = (came: Outcome): string => ('error' in came ? errorLine(came.error) : 'an output')

function evidence({ alternatives, plugin }: OptionsSubject, options: readonly Option[]): Law {
  return law({
    name: 'options/evidence-is-current',
    statement: 'Uses are given for options that the plugin has',
    formula: 'names of `alternatives` ⊆ names of the options',
    source: 'an option that was renamed takes its evidence with it',
    cost: 100,
    arbitrary: fc.constant(undefined),
    show: () => `options of ${plugin.definition.kind} ${plugin.definition.name}`,
    holds: () => {
      const gone = Object.keys(alternatives).filter((name) => !options.some((option) => option.name === name))
      const names = options.map(({ name }) => name).join(', ')
      require(gone.length === 0, `there is no option ${gone.join(', ')}; there are ${names || 'none'}`)
    },
  })
}
