import { existsSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Measurement } from './contracts/trainer.js'
import { CollimateError } from './errors.js'
import { writeJson } from './json.js'

/** What a run holds and what it has cost so far. */
export interface Resources {
  /** The models that are held, by role (`policy`, `reference`, `critic`, `reward`, ...), with their parameters. */
  readonly models: readonly { readonly role: string; readonly parameters: number }[]
  /** Most bytes of state (weights, gradients, moments, caches) that the backend held after a step. */
  readonly stateBytes: number
  /** Most bytes that the process held after a step, whatever held them. */
  readonly processBytes: number
  /** What it held before the run began: the stages of a pipeline share a process, and what is freed is not always given back. */
  readonly processBytesBefore?: number
  /** Tokens that went through training steps, and tokens that were sampled for them. */
  readonly trainedTokens: number
  readonly generatedTokens: number
  /** Wall time of the training steps. */
  readonly trainingSeconds: number
}

export type RunStatus = 'running' | 'done' | 'stopped' | 'failed'

/** What became of a run: manifest.json, replaced whole at every change. */
export interface Manifest {
  readonly format: 1
  readonly name: string
  readonly status: RunStatus
  /** Equal where config, versions and files that the config names are equal. */
  readonly configHash: string
  readonly process: { readonly pid: number; readonly host: string }
  readonly startedAt: string
  readonly finishedAt?: string
  /** Optimiser steps done, of how many. */
  readonly steps: number
  readonly totalSteps: number
  /** Relative to the run folder; absent where no model was saved. */
  readonly modelFolder?: string
  /** The last evaluation and what the evaluators measured. */
  readonly metrics?: Readonly<Record<string, Measurement>>
  /** What it held and what it cost. */
  readonly resources?: Resources
  /** Why it failed, one line. */
  readonly error?: string
}

export const manifestFile = 'manifest.json'

/** The manifest of a run folder; undefined where there is none. */
export function readManifest(folder: string): Manifest | undefined {
  const file = join(folder, manifestFile)
  if (!existsSync(file)) return undefined
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Manifest
  } catch (error) {
    throw new CollimateError('COLLIMATE_MANIFEST_BROKEN', `${file} is not JSON`, {
      hint: 'remove the run folder, or choose another output',
      cause: error,
    })
  }
}

export const writeManifest = (folder: string, manifest: Manifest): void =>
  writeJson(join(folder, manifestFile), manifest)

export const thisProcess = (): Manifest['process'] => ({ pid: process.pid, host: hostname() })

/** Whether the process that wrote a manifest is still at it. */
export function isRunning({ status, process: { pid, host } }: Manifest): boolean {
  // A manifest of this very process is judged by the list of its runs.
  if (status !== 'running' || host !== hostname() || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM'
  }
}
