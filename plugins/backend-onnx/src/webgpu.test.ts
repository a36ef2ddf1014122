import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { opNames } from '@collimate/graph'
import { expect, test } from 'vitest'
import { findSoftwareVulkan, softwareVulkanNeeds } from './software-vulkan.js'

test('SwiftShader is found where driver and description are', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vulkan-'))
  await writeFile(join(folder, 'vk_swiftshader_icd.json'), '{}')
  expect(findSoftwareVulkan([folder])).toBeUndefined()
  await writeFile(join(folder, 'libvk_swiftshader.so'), '')
  const found = findSoftwareVulkan(['/nowhere', folder])
  expect(found?.environment).toMatchObject({ VK_DRIVER_FILES: join(folder, 'vk_swiftshader_icd.json') })
  expect(found?.environment['LD_LIBRARY_PATH']?.split(':')[0]).toBe(folder)
  await rm(folder, { recursive: true })
})

const software = findSoftwareVulkan()
// A process of its own: the loader reads its variables at the start, and a driver that fails may abort it.
test.skipIf(software === undefined)(
  `the laws hold on webgpu through SwiftShader${software ? '' : ` (not here: there is no SwiftShader; ${softwareVulkanNeeds})`}`,
  async () => {
    const script = fileURLToPath(new URL('testing/laws-on-webgpu.ts', import.meta.url))
    const source = ['--import', import.meta.resolve('tsx'), '--conditions=@collimate/source', script]
    const { stdout } = await promisify(execFile)(process.execPath, source, {
      env: { ...process.env, ...software?.environment, COLLIMATE_ONNX_DEVICES: 'webgpu', NODE_OPTIONS: '' },
      maxBuffer: 2 ** 26,
    })
    const { subject, tried, failures } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>
    expect(failures).toEqual([])
    expect(subject).toBe('onnx (webgpu)')
    expect(tried).toBeGreaterThan(opNames.length)
  },
  600_000,
)
