import { writeSync } from 'node:fs'
import fc from 'fast-check'
import laws from '../laws.js'

/*
 * One case of each law of backends on webgpu, in a process that was started with the driver's environment. It writes the
 * laws that were tried and those that fail, as one line of JSON.
 */
const suite = (await laws()).find(({ subject }) => subject.includes('webgpu'))
if (!suite) throw new Error('COLLIMATE_ONNX_DEVICES must name webgpu')
const failures: string[] = []
for (const law of suite.laws) {
  const [drawn] = fc.sample<unknown>(law.arbitrary, { numRuns: 1, seed: 1 })
  try {
    const said: unknown = await law.holds(drawn)
    if (said === false) throw new Error('the law says false')
  } catch (error) {
    failures.push(`${law.name}: ${error instanceof Error ? error.message : String(error)} (${law.show(drawn)})`)
  }
}
await suite.close?.()
writeSync(1, `\n${JSON.stringify({ subject: suite.subject, tried: suite.laws.length, failures })}\n`)
