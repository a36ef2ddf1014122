import { standaloneContext } from '@collimate/core'
import type { Backend, DataSource, PluginEntry, Policy, RewardSource } from '@collimate/core'
import type { BackendOptions } from '../backend-flags.js'
import { createBackend } from '../create.js'

/** A policy that is open, and what frees it. */
export interface OpenPolicy {
  readonly policy: Policy
  close(): Promise<void>
}

/** Makes plugins outside of experiments, all on one backend. */
export interface Workshop {
  /** Opens a model; paths are relative to `folder`. */
  policy(entry: PluginEntry<'policy'>, folder: string): Promise<OpenPolicy>
  /** Makes a reward once for each entry. */
  reward(entry: PluginEntry<'reward'>, folder: string): Promise<RewardSource>
  data(entry: PluginEntry<'data'>, folder: string): Promise<DataSource>
  /** Frees everything that is still open, and the backend. */
  close(): Promise<void>
}

export async function openWorkshop(options: BackendOptions): Promise<Workshop> {
  const backend: Backend = await createBackend(options)
  const rewards = new Map<string, Promise<RewardSource>>()
  const open = new Set<() => Promise<void>>()
  /** A context of its own for each thing, so that each can be freed by itself. */
  const contextOf = (folder: string) => {
    const { context, close } = standaloneContext({ folder, backend })
    const closeOnce = async (): Promise<void> => {
      if (open.delete(closeOnce)) await close()
    }
    open.add(closeOnce)
    return { context, close: closeOnce }
  }
  return {
    async policy(entry, folder) {
      const { context, close } = contextOf(folder)
      return { policy: await context.plugin('policy', entry), close }
    },
    reward(entry, folder) {
      const key = JSON.stringify([folder, entry])
      const known = rewards.get(key)
      if (known) return known
      const made = contextOf(folder).context.plugin('reward', entry)
      rewards.set(key, made)
      return made
    },
    data: (entry, folder) => contextOf(folder).context.plugin('data', entry),
    async close() {
      for (const closeOne of [...open].reverse()) await closeOne()
      await backend.close()
    },
  }
}
