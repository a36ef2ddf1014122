import { opNames } from '@collimate/graph'
import { float16Tolerance, float32Tolerance, type OpErrors } from '@collimate/laws'
import { wasMeasured, type Measured, type Measurement, type NotRun } from './measurement.js'

/** docs/backends.md, before Prettier. */
export function backendsPage(measurements: readonly Measurement[], cases: number): string {
  const measured = measurements.filter(wasMeasured)
  const rounding = measured.filter(({ precision }) => precision !== 'float64')
  return `# Backends

<!-- Written by \`npm run docs:backends\` from measurements; run it again instead of changing this. -->

An experiment names its backend and device in one line, \`backend: { use: onnx, device: cpu }\`; every provider below takes the same programs. How
far each is from the float64 interpreter of [\`@collimate/graph\`](../packages/graph) is measured op by op, on ${cases} random applications of
each op: the largest error relative to the largest magnitude of its tensor, or to 1 where that is smaller. The inputs are rounded to the
backend's precision before. The laws of backends, which \`npm test\` and \`collimate laws\` check on other cases, allow ${shown(float32Tolerance)} in float32,
and ${shown(float16Tolerance)} of what contains a matrix product in float16.

The last digits depend on processor and driver. \`collimate doctor\` says what your machine can run.

## Providers

The largest errors over all ops, and in which op.

| provider | computes in | value | derivative |
| --- | --- | --- | --- |
${measured.map(providerRow).join('\n')}

## Not run

What the machine that this page was written on could not run, and why.

${measurements
  .filter((one): one is NotRun => !wasMeasured(one))
  .map(reasonLine)
  .join('\n')}

## Values

The largest error of the value of each op.

${table(rounding, opNames, ({ value }) => value)}

## Derivatives

The largest error of the derivative of Σ w·op(x), w random, by each input. The rest of the ops have none.

${table(
  rounding,
  opNames.filter((op) => hasDerivative(measured, op)),
  ({ derivative }) => derivative,
)}
`
}

function providerRow({ provider, precision, note, errors }: Measured): string {
  const digits = precision === 'float16' ? 'float32, matrix products in float16' : precision
  const where = `${digits}${note === undefined ? '' : `, ${note}`}`
  return `| ${code(provider)} | ${where} | ${largest(errors, 'value')} | ${largest(errors, 'derivative')} |`
}

const reasonLine = ({ provider, reason }: NotRun): string => `- ${code(provider)}: ${reason.replaceAll('\n', ' ')}.`

/** The largest error over all ops, and the op. */
function largest(errors: readonly OpErrors[], of: 'value' | 'derivative'): string {
  const worst = errors.reduce((one, other) => ((other[of] ?? 0) > (one[of] ?? 0) ? other : one))
  const error = worst[of] ?? 0
  return error === 0 ? '0' : `${shown(error)} (${worst.op})`
}

function table(
  measured: readonly Measured[],
  ops: readonly string[],
  errorOf: (errors: OpErrors) => number | undefined,
): string {
  const row = (op: string) => {
    const cells = measured.map(({ errors }) => {
      const ofOp = errors.find((one) => one.op === op)
      const error = ofOp && errorOf(ofOp)
      return error === undefined ? '' : shown(error)
    })
    return `| ${[code(op), ...cells].join(' | ')} |`
  }
  const head = ['op', ...measured.map(({ provider }) => code(provider))]
  return [`| ${head.join(' | ')} |`, `| ${head.map(() => '---').join(' | ')} |`, ...ops.map(row)].join('\n')
}

const hasDerivative = (measured: readonly Measured[], op: string): boolean =>
  measured.some(({ errors }) => errors.some((one) => one.op === op && one.derivative !== undefined))

const code = (name: string): string => `\`${name}\``

/** Two digits: more would differ from machine to machine. */
const shown = (error: number): string => (error === 0 ? '0' : error.toExponential(1))
