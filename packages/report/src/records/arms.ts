import type { RunRecord } from './read-run.js'
import { methodOf, seedOf, settingsOf } from './run-settings.js'
import type { Setting } from './run-settings.js'

/** Runs of one method with the same settings: they differ in their seeds alone. */
export interface Arm {
  readonly id: string
  readonly label: string
  readonly method: string
  /** What it differs in from other arms of its method, by the shortest names that tell them apart. */
  readonly settings: Readonly<Record<string, Setting>>
  /** Positions of its runs. */
  readonly runs: readonly number[]
}

const methodLabels: Readonly<Record<string, string>> = {
  sft: 'SFT',
  reward: 'reward model',
  reinforce: 'REINFORCE',
  ppo: 'PPO',
  dpo: 'DPO',
  reference: 'reference',
}

/** How people write a method. */
export const methodLabel = (method: string): string => methodLabels[method] ?? method

/** In the order of the story: what all begin with, then the methods, others last. */
export function methodOrder(method: string): number {
  const at = ['reference', 'sft', 'reward', 'dpo', 'reinforce', 'ppo'].indexOf(method)
  return at < 0 ? 99 : at
}

/**
 * Groups runs into arms. Settings that name a file or folder tell runs apart only where seeds do not: each seed of a whole
 * pipeline has its own SFT model and reward model, and is a seed all the same.
 */
export function armsOf(runs: readonly RunRecord[]): Arm[] {
  const methods = [...new Set(runs.map(methodOf))].sort((a, b) => methodOrder(a) - methodOrder(b) || a.localeCompare(b))
  return methods.flatMap((method) => armsOfMethod(runs, method))
}

function armsOfMethod(runs: readonly RunRecord[], method: string): Arm[] {
  const members = runs.flatMap((run, at) => (methodOf(run) === method ? [at] : []))
  const settings = new Map(members.map((at) => [at, settingsOf(runs[at])] as const))
  const differing = [...new Set(members.flatMap((at) => [...settings.get(at)!.keys()]))].filter(
    (key) => new Set(members.map((at) => JSON.stringify(settings.get(at)!.get(key)))).size > 1,
  )
  const isPath = (key: string): boolean => members.some((at) => looksLikePath(settings.get(at)!.get(key)))
  const plain = differing.filter((key) => !isPath(key))
  const groupBy = (some: readonly number[], keys: readonly string[]): number[][] => {
    const groups = new Map<string, number[]>()
    for (const at of some) {
      const key = JSON.stringify(keys.map((one) => settings.get(at)!.get(one) ?? null))
      groups.set(key, [...(groups.get(key) ?? []), at])
    }
    return [...groups.values()]
  }
  const sameSeed = (group: readonly number[]): boolean =>
    new Set(group.map((at) => seedOf(runs[at]))).size < group.length
  const coarse = groupBy(members, plain)
  const byPath = coarse.some(sameSeed)
  const keys = byPath ? differing : plain
  const groups = (byPath ? groupBy(members, keys) : coarse).flatMap((group) =>
    // The same thing twice is two arms, not two seeds.
    sameSeed(group) ? group.map((at) => [at]) : [group],
  )
  const names = shortNames(keys)
  const arms = groups.map((group) => {
    const shown = keys.map((key) => [names.get(key)!, settings.get(group[0])!.get(key) ?? null] as const)
    return { ...{ method, settings: Object.fromEntries(shown), runs: group }, label: labelOf(method, shown) }
  })
  const labels = distinct(
    arms.map(({ label }) => label),
    arms.map(({ runs: [first] }) => runs[first].manifest.name),
  )
  return arms
    .map((arm, at) => ({ ...arm, id: slug(labels[at]), label: labels[at] }))
    .sort((a, b) => compareSettings(a.settings, b.settings))
}

const looksLikePath = (value: Setting | undefined): boolean => typeof value === 'string' && /[/\\]/.test(value)

/** The last parts of the paths, as few as tell them apart. */
function shortNames(keys: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    keys.map((key) => {
      const parts = key.split('.')
      for (let length = 1; length < parts.length; length++) {
        const name = parts.slice(-length).join('.')
        if (keys.every((other) => other === key || !`.${other}`.endsWith(`.${name}`))) return [key, name]
      }
      return [key, key]
    }),
  )
}

const symbols: Readonly<Record<string, string>> = { beta: 'β', gamma: 'γ', lambda: 'λ' }

function labelOf(method: string, settings: readonly (readonly [string, Setting])[]): string {
  const said = settings.map(([name, value]) => {
    const text = typeof value === 'string' && looksLikePath(value) ? value.replace(/.*[/\\](?=.)/, '') : String(value)
    return `${symbols[name] ?? name} ${text}`
  })
  return [methodLabel(method), ...(said.length > 0 ? [said.join(', ')] : [])].join(' ')
}

/** Labels that are shared are told apart by the names of the runs, then by number. */
function distinct(labels: readonly string[], names: readonly string[]): string[] {
  const shared = (all: readonly string[], at: number): boolean => all.filter((one) => one === all[at]).length > 1
  const named = labels.map((label, at) => (shared(labels, at) ? `${label} (${names[at]})` : label))
  return named.map((label, at) =>
    shared(named, at) ? `${label} ${named.slice(0, at + 1).filter((one) => one === label).length}` : label,
  )
}

const slug = (label: string): string =>
  label
    .toLowerCase()
    .replace(/β/g, 'beta')
    .replace(/[^a-z0-9.]+/g, '-')

/** Strong penalties first, as one reads the frontier; other settings in their own order. */
function compareSettings(a: Arm['settings'], b: Arm['settings']): number {
  for (const key of Object.keys(a)) {
    const [one, other] = [a[key], b[key]]
    if (one === other) continue
    if (typeof one === 'number' && typeof other === 'number') return key.endsWith('beta') ? other - one : one - other
    return String(one).localeCompare(String(other))
  }
  return 0
}
