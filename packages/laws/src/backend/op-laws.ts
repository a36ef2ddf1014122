import { evaluate, type OpName, opNames, sampleOp } from '@collimate/graph'
import { law, type Law } from '../law.js'
import { draws, shownSample, sourceOf } from './draws.js'
import { derivativeCase, hasDerivative, valueCase } from './op-cases.js'
import { type BackendSubject, sameTensor, valuesOn } from './subject.js'

/** Two laws per op of the table: its value, and (where it has one) its derivative. */
export function opLaws(subject: BackendSubject): Law[] {
  return opNames.flatMap((op) => [valueLaw(op, subject), ...(hasDerivative(op) ? [derivativeLaw(op, subject)] : [])])
}

const source = 'The float64 evaluation of @collimate/graph, itself checked against central differences'

/** Ops that are, or contain, a matrix product. */
export const productOps: ReadonlySet<OpName> = new Set<OpName>(['matmul', 'attend', 'headLogProbs'])

type Allowed = Pick<BackendSubject, 'tolerance' | 'productTolerance'>
const toleranceOf = (op: OpName, { tolerance, productTolerance }: Allowed): number =>
  productOps.has(op) ? productTolerance : tolerance

function valueLaw(op: OpName, { get, ...allowed }: BackendSubject): Law {
  return law({
    name: `backend/value/${op}`,
    statement: `${op} has the value that the float64 interpreter gives it, for every shape and attribute`,
    formula: `|${op}(x) − interpreter's ${op}(x)| ≤ tolerance · max(1, |${op}(x)|∞)`,
    source,
    cost: 4,
    arbitrary: draws,
    show: (drawn) => shownSample(sampleOp(op, sourceOf(drawn))),
    holds: async (drawn) => {
      const backend = await get()
      const { outputs, values } = valueCase(op, sourceOf(drawn), await backend.capabilities())
      const { y } = await valuesOn(backend, outputs, values)
      sameTensor(op, y, evaluate(outputs.y, values), toleranceOf(op, allowed))
    },
  })
}

function derivativeLaw(op: OpName, { get, ...allowed }: BackendSubject): Law {
  return law({
    name: `backend/derivative/${op}`,
    statement: `The derivative of ${op}, weighted at random, has the value that the float64 interpreter gives it`,
    formula: `|∂ Σ w·${op}(x) / ∂x − interpreter's| ≤ tolerance · max(1, |∂|∞)`,
    source,
    cost: 10,
    arbitrary: draws,
    show: (drawn) => shownSample(sampleOp(op, sourceOf(drawn))),
    holds: async (drawn) => {
      const backend = await get()
      const drawnCase = derivativeCase(op, sourceOf(drawn), drawn.seed + 1, await backend.capabilities())
      if (!drawnCase) return
      const { outputs, values } = drawnCase
      const actual = await valuesOn(backend, outputs, values)
      for (const [name, derivative] of Object.entries(outputs)) {
        sameTensor(`∂${op}/∂${name}`, actual[name], evaluate(derivative, values), toleranceOf(op, allowed))
      }
    },
  })
}
