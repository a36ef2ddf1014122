/** Rates over the last steps, so that a remaining time follows what is happening now. */
export interface Speed {
  add(step: { readonly units: number; readonly seconds: number }): void
  /** Units per second. */
  perSecond(): number
  /** Seconds that one step takes. */
  secondsPerStep(): number
}

const WINDOW = 50

export function createSpeed(): Speed {
  const recent: { readonly units: number; readonly seconds: number }[] = []
  const total = (field: 'units' | 'seconds'): number => recent.reduce((sum, step) => sum + step[field], 0)
  return {
    add(step) {
      recent.push(step)
      if (recent.length > WINDOW) recent.shift()
    },
    perSecond: () => (recent.length === 0 ? 0 : total('units') / Math.max(1e-9, total('seconds'))),
    secondsPerStep: () => (recent.length === 0 ? 0 : total('seconds') / recent.length),
  }
}
