import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { root } from './support/cli.js'

// Backends that work in a thread of their own: what their process does when nobody needs them any more.

/** By folder: the function of its backend.ts, and how it is called. */
const backends = [
  ['backend-onnx', 'createBackend', "createBackend({ device: 'cpu', threads: 1, arena: true, spinning: false })"],
  ['backend-tfjs', 'openBackend', "openBackend(['wasm']).then((one) => one.backend)"],
] as const

describe.each(backends)('the process of %s', (folder, name, opened) => {
  /** Runs TypeScript in a process of its own and returns what it printed. */
  function runProcess(code: string) {
    const source = `import { ${name} } from ${JSON.stringify(pathToFileURL(join(root, 'plugins', folder, 'src/backend.ts')).href)}
      const open = () => ${opened}
      ${code}`
    const args = ['--conditions=@collimate/source', '--import', 'tsx', '--input-type=module', '--eval', source]
    return spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: 30_000 })
  }

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
