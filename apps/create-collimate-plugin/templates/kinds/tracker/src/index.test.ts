import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBus } from '@collimate/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { csvTracker } from './index.js'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'csv-'))))
afterEach(() => rmSync(folder, { recursive: true }))

test('one line per metric; nothing after the end', async () => {
  const bus = createBus()
  const file = join(folder, 'deep/metrics.csv')
  const tracker = csvTracker({ file, metrics: ['loss', 'win, or tie'] })
  const stop = tracker.attach(bus)
  const logged = (step: number, metrics: Record<string, number>) =>
    bus.emit('metrics.logged', { step, totalSteps: 9, metrics, tokens: 1, seconds: 1 })
  logged(1, { loss: 0.5, grad_norm: 2 })
  logged(2, {})
  bus.emit('evaluation.finished', { step: 2, metrics: { 'win, or tie': { value: 0.75 } } })
  stop()
  logged(3, { loss: 0.1 })
  await tracker.close()
  expect(readFileSync(file, 'utf8')).toBe('step,metric,value\n1,loss,0.5\n2,"win, or tie",0.75\n')
})
