import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isRunning, readManifest, thisProcess, writeManifest } from './manifest.js'
import type { Manifest } from './manifest.js'

const manifest: Manifest = {
  ...{ format: 1, name: 'x', status: 'running', configHash: 'h', process: thisProcess() },
  ...{ startedAt: '2026-01-01T00:00:00.000Z', steps: 3, totalSteps: 5 },
}
const by = (pid: number, host = manifest.process.host): Manifest => ({ ...manifest, process: { pid, host } })

test('a run is going on where its process is alive on this host', () => {
  const { pid: gone } = spawnSync(process.execPath, ['--version'])
  expect(isRunning(by(process.ppid))).toBe(true)
  expect(isRunning({ ...by(process.ppid), status: 'done' })).toBe(false)
  expect(isRunning(by(gone))).toBe(false)
  expect(isRunning(by(process.ppid, 'elsewhere'))).toBe(false)
})

test('what is read is what was written; what is not JSON is refused', () => {
  const folder = mkdtempSync(join(tmpdir(), 'collimate-manifest-'))
  expect(readManifest(folder)).toBeUndefined()
  writeManifest(folder, manifest)
  expect(readManifest(folder)).toEqual(manifest)
  writeFileSync(join(folder, 'manifest.json'), '{"format": 1')
  expect(() => readManifest(folder)).toThrow(expect.objectContaining({ code: 'COLLIMATE_MANIFEST_BROKEN' }))
  rmSync(folder, { recursive: true })
})
