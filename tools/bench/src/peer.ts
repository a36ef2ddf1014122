import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { CollimateError } from '@collimate/core'

/** What a piece of work took, and the tokens that it is counted for. */
export interface Measured {
  readonly seconds: number
  readonly tokens: number
}

/** The same work in PyTorch, in a process that waits for commands, so that both sides alternate in one run. */
export interface Peer {
  readonly versions: string
  /** Does `work` once; seconds as the peer measured them. */
  measure(work: string): Promise<Measured>
  close(): void
}

/** Starts tools/bench/peers/torch_peer.py with the Python at `python`. */
export async function startPeer(python: string, settings: Record<string, unknown>): Promise<Peer> {
  const script = fileURLToPath(new URL('../peers/torch_peer.py', import.meta.url))
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
  const failed = Promise.race([once(child, 'error'), once(child, 'exit')]).then(() => {
    throw new CollimateError('COLLIMATE_BENCH_PEER_FAILED', `${python} could not run the peer script`, {
      hint: 'give --peer the python of an environment with torch and transformers',
    })
  })
  failed.catch(() => undefined)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ask = async (message: Record<string, unknown>): Promise<Record<string, unknown>> => {
    child.stdin.write(JSON.stringify(message) + '\n')
    const answer = await Promise.race([lines.next(), failed])
    return JSON.parse(String(answer.value)) as Record<string, unknown>
  }
  const versions = await ask(settings)
  return {
    versions: `PyTorch ${String(versions.torch)}, transformers ${String(versions.transformers)}`,
    measure: async (work) => {
      const { seconds, tokens } = await ask({ work })
      return { seconds: Number(seconds), tokens: Number(tokens) }
    },
    close: () => child.stdin.end(),
  }
}
