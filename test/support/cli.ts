import { spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadTokenizerFiles } from '@collimate/data'
import { createModel, saveModel } from '@collimate/models'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** What a command line did. */
export interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a script of the repository from its source; `onStderr` hears what it says and may signal it. */
export function runSource(
  script: string,
  args: readonly string[],
  options: {
    cwd?: string
    environment?: Readonly<Record<string, string>>
    onStderr?: (text: string, kill: (signal: NodeJS.Signals) => void) => void
  } = {},
): Promise<Ran> {
  const tsx = import.meta.resolve('tsx')
  const child = spawn(
    process.execPath,
    ['--import', tsx, '--conditions=@collimate/source', join(root, script), ...args],
    {
      cwd: options.cwd ?? root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '', DEBUG: '', ...options.environment },
    },
  )
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    options.onStderr?.(stderr, (signal) => child.kill(signal))
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, stdout, stderr }))
  })
}

/** The `collimate` command, from source. */
export const collimate = (args: readonly string[], options?: Parameters<typeof runSource>[2]): Promise<Ran> =>
  runSource('apps/cli/src/main.ts', args, options)

/** A folder of its own for a test. */
export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'collimate-test-'))

/** Writes a model with random weights and the helpdesk's tokenizer: small enough for a step to take no time. */
export async function writeTinyModel(folder: string): Promise<void> {
  const tokenizer = await loadTokenizerFiles(join(root, 'examples/helpdesk/tokenizer'))
  const config = {
    model_type: 'llama',
    vocab_size: 768,
    hidden_size: 16,
    intermediate_size: 32,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    max_position_embeddings: 96,
    tie_word_embeddings: true,
    eos_token_id: 0,
  }
  await saveModel(folder, createModel({ config, seed: 1, tokenizer }))
}
