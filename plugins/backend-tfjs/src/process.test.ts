import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'

/** Runs TypeScript in a process of its own and returns what it printed. */
function runProcess(code: string) {
  const index = new URL('./index.ts', import.meta.url).href
  const args = ['--conditions=@collimate/source', '--import', 'tsx', '--input-type=module', '--eval']
  const source = `import { openBackend } from ${JSON.stringify(index.replace('index.ts', 'backend.ts'))}
    const open = () => openBackend(['wasm']).then((one) => one.backend)
    ${code}`
  return spawnSync(process.execPath, [...args, source], { encoding: 'utf8', timeout: 30_000 })
}

describe('the process', () => {
  test('ends by itself when nobody closed the backend, and not before its calls are answered', () => {
    const result = runProcess(`
      const backend = await open()
      backend.state({ tensors: { w: { dtype: 'float', shape: [1000] } } }).then(async (state) => {
        const { w } = await backend.read({ state })
        console.log('read', w.data.length)
      })`)
    expect(result.stderr).toBe('')
    expect(result.stdout).toBe('read 1000\n')
    expect(result.status).toBe(0)
  })

  test('ends cleanly after close', () => {
    const result = runProcess(`
      const backend = await open()
      await backend.close()
      console.log('closed')`)
    expect([result.stdout, result.stderr, result.status]).toEqual(['closed\n', '', 0])
  })
})
