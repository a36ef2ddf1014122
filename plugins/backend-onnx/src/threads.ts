import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/** Physical cores that this process may use: a second hardware thread of a core gains nothing in matrix products. */
export function physicalCores(): number {
  const available = availableParallelism()
  try {
    const folder = '/sys/devices/system/cpu'
    const cores = readdirSync(folder)
      .filter((entry) => /^cpu\d+$/.test(entry))
      .map((entry) => readFileSync(`${folder}/${entry}/topology/thread_siblings_list`, 'utf8').trim())
    return Math.max(1, Math.min(available, new Set(cores).size))
  } catch {
    return available
  }
}
