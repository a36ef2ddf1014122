import { expect, test } from 'vitest'
import { createStatus } from './status.js'

const written = (isTTY: boolean) => {
  const lines: string[] = []
  const stream = {
    isTTY,
    columns: 40,
    write: (text: string) => (lines.push(text), true),
  } as unknown as NodeJS.WriteStream
  return { status: createStatus(stream), lines }
}

test('outside of a terminal: a line for each new thing', () => {
  const { status, lines } = written(false)
  status.show('one')
  for (let done = 0; done < 5; done++) status.show('two', `${done} of 5`)
  status.clear()
  expect(lines).toEqual(['one\n', 'two\n'])
})

test('in a terminal: one line that is written over, within its width', () => {
  const { status, lines } = written(true)
  status.show('what', 'x'.repeat(100))
  status.clear()
  expect(lines).toHaveLength(2)
  expect(lines[0]).toMatch(/^\r\x1b\[2Kwhat: x+$/)
  expect(lines[0].length).toBeLessThan(50)
})
