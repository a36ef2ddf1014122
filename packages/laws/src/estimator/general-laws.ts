import type { Estimator, EstimatorRequest } from '@collimate/core'
import fc from 'fast-check'
import { junk, poisoned } from '../formulas/token-arrays.js'
import { law, require, type Law } from '../law.js'
import { refused } from '../refused.js'
import { changed, copyOf, requests, sameReply, showRequest, wellFormed, type RequestLimits } from './requests.js'

/** Laws that every estimator obeys, and those about what it needs and looks at. */
export function generalLaws(get: () => Promise<Estimator>, limits: RequestLimits): Law[] {
  const anyMask = requests({ ...limits, anyMask: true })
  const estimate = async (request: EstimatorRequest) => (await get()).estimate(request)
  return [
    law({
      name: 'estimator/shape',
      statement: 'Advantages and returns have a finite number for each slot, 0 where the mask is 0, whatever the mask.',
      formula: 'A, R ∈ ℝ^(rows · width); m = 0 → A = R = 0',
      source: 'the contract of Estimator; DeepSpeedExamples issue 672: not as many advantages as actions',
      arbitrary: anyMask,
      show: showRequest,
      holds: async (request) => wellFormed(request, await estimate(copyOf(request))),
    }),
    law({
      name: 'estimator/masked-slots',
      statement: 'What stands in masked slots never matters, NaN and Infinity included.',
      formula: 'A(x with junk where m = 0) = A(x)',
      source: 'ROLL issue 447, verl issues 50, 1850 and 6361, OpenRLHF issue 1240',
      arbitrary: fc.record({ request: anyMask, by: junk }),
      show: ({ request, by }) => `${showRequest(request)}, masked slots hold ${by}`,
      holds: async ({ request, by }) => {
        const found = await estimate(changed(request, (values) => poisoned(values, request.mask, by)))
        wellFormed(request, found)
        sameReply(request, found, await estimate(copyOf(request)), 0)
      },
    }),
    law({
      name: 'estimator/masked-columns',
      statement: 'A masked column anywhere is no step: real tokens keep their advantages and returns.',
      formula: 'A(x with a masked column) = A(x)',
      source: 'miles issue 1827: tool tokens decay the advantage; TRL issue 7024: padding leaks into advantages',
      arbitrary: fc.record({ request: anyMask, at: fc.nat(4), by: junk }),
      show: ({ request, at, by }) => `${showRequest(request)}, a column of ${by} at ${at % (request.width + 1)}`,
      holds: async ({ request, at, by }) => {
        const { rows, width } = request
        const column = at % (width + 1)
        const slotOf = (slot: number) =>
          Math.floor(slot / width) * (width + 1) + (slot % width) + Number(slot % width >= column)
        const wider = <T extends Float64Array | Uint8Array>(target: T, values: T): T => {
          values.forEach((value, slot) => (target[slotOf(slot)] = value))
          return target
        }
        const size = rows * (width + 1)
        const inserted = changed(
          request,
          (values) => wider(new Float64Array(size).fill(by), values),
          (mask) => wider(new Uint8Array(size), mask),
        )
        const found = await estimate({ ...inserted, width: width + 1 })
        sameReply(request, found, await estimate(copyOf(request)), 1e-12, slotOf)
      },
    }),
    law({
      name: 'estimator/pure',
      statement: 'The same request gives the same reply, whatever came between, and is not changed by it.',
      formula: 'A(x), A(y), A(x)′ = A(x)',
      source: 'the contract of Estimator: a pure function',
      arbitrary: fc.record({ request: anyMask, other: anyMask }),
      show: ({ request, other }) => `${showRequest(request)}, then ${showRequest(other)}, then again`,
      holds: async ({ request, other }) => {
        const given = copyOf(request)
        const reply = await estimate(given)
        const first = { advantages: reply.advantages.slice(), returns: reply.returns.slice() }
        for (const name of ['rewards', 'values', 'logProbs', 'refLogProbs', 'mask'] as const)
          given[name]?.forEach((value, slot) =>
            require(Object.is(value, request[name]?.[slot]), `${name} of slot ${slot} was changed to ${value}`),
          )
        await estimate(copyOf(other))
        sameReply({ mask: request.mask.map(() => 1) }, reply, first, 0)
        const again = await estimate(copyOf(request))
        sameReply({ mask: request.mask.map(() => 1) }, again, first, 0)
      },
    }),
    law({
      name: 'estimator/rows-by-themselves',
      statement: 'Each row (with those of its group) is estimated by itself: other rows do not matter.',
      formula: 'A(rows a, rows b) = A(rows a), A(rows b)',
      source: 'AReaL issue 1351: normalisation polluted by other rows',
      capability: 'rowwise',
      arbitrary: anyMask,
      show: showRequest,
      holds: async (request) => {
        const { rows, width } = request
        const { groupSize = 1 } = limits
        const whole = await estimate(copyOf(request))
        for (let row = 0; row < rows; row += groupSize) {
          const [from, to] = [row * width, (row + groupSize) * width]
          const alone = changed(
            request,
            (values) => values.slice(from, to),
            (mask) => mask.slice(from, to),
          )
          const found = await estimate({ ...alone, rows: groupSize })
          const part = { advantages: whole.advantages.slice(from, to), returns: whole.returns.slice(from, to) }
          sameReply(alone, found, part, 1e-12)
        }
      },
    }),
    law({
      name: 'estimator/needs-values',
      statement: 'Without a critic’s values it refuses, instead of taking them for 0.',
      formula: 'values absent → error with a code',
      source: 'the contract of Estimator; TRL issue 3926: silent no-ops',
      capability: 'needsValues',
      arbitrary: requests(limits),
      show: showRequest,
      holds: ({ values: _, ...request }) => refused('a request without values', () => estimate(request)),
    }),
  ]
}
