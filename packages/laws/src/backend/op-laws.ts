import {
  evaluate,
  gradients,
  input,
  mul,
  type OpName,
  opNames,
  ops,
  sampleOp,
  sum,
  type Tensor,
} from '@collimate/graph'
import { law, type Law } from '../law.js'
import { draws, seeded, shownSample, sourceOf } from './draws.js'
import { asSeen, type BackendSubject, sameTensor, valuesOn } from './subject.js'

/** Two laws per op of the table: its value, and (where it has one) its derivative. */
export function opLaws(subject: BackendSubject): Law[] {
  return opNames.flatMap((op) => [valueLaw(op, subject), ...(hasDerivative(op) ? [derivativeLaw(op, subject)] : [])])
}

const hasDerivative = (op: OpName): boolean => op !== 'constant' && op !== 'stopGradient' && !('noGradient' in ops[op])

const source = 'The float64 evaluation of @collimate/graph, itself checked against central differences'

function valueLaw(op: OpName, { get, tolerance }: BackendSubject): Law {
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
      const { tensor, values } = sampleOp(op, sourceOf(drawn))
      const feeds = asSeen(values, await backend.capabilities())
      const { y } = await valuesOn(backend, { y: tensor }, feeds)
      sameTensor(op, y, evaluate(tensor, feeds), tolerance)
    },
  })
}

function derivativeLaw(op: OpName, { get, tolerance }: BackendSubject): Law {
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
      const { tensor, values } = sampleOp(op, sourceOf(drawn))
      const wrt = [...leavesOf(tensor).entries()].filter(([, leaf]) => leaf.dtype === 'float')
      if (tensor.dtype !== 'float' || wrt.length === 0) return
      const random = seeded(drawn.seed + 1)
      const weights = Float64Array.from({ length: tensor.size }, () => 2 * random() - 1)
      const feeds = asSeen({ ...values, weights }, await backend.capabilities())
      const derivatives = gradients(
        sum(mul(tensor, input('weights', tensor.shape))),
        wrt.map(([, leaf]) => leaf),
      )
      const named = Object.fromEntries(wrt.map(([name], i) => [name, derivatives[i]]))
      const actual = await valuesOn(backend, named, feeds)
      for (const [name, derivative] of Object.entries(named)) {
        sameTensor(`∂${op}/∂${name}`, actual[name], evaluate(derivative, feeds), tolerance)
      }
    },
  })
}

/** The distinct inputs that an expression is made of, by name. */
export function leavesOf(tensor: Tensor, found = new Map<string, Tensor>()): Map<string, Tensor> {
  if (tensor.op === 'input') found.set(String(tensor.attributes.name), tensor)
  for (const operand of tensor.inputs) leavesOf(operand, found)
  return found
}
