/** A policy by its distance from the reference and what it has of a reward. */
export interface Placed {
  readonly kl: number
  readonly reward: number
}

/** The points over which no chord of others passes, by rising KL and reward (Andrew's monotone chain). */
export function upperHull<Point extends Placed>(points: readonly Point[]): Point[] {
  const hull: Point[] = []
  const below = (a: Point, b: Point, c: Point): boolean =>
    (b.kl - a.kl) * (c.reward - a.reward) >= (c.kl - a.kl) * (b.reward - a.reward)
  for (const point of [...points].sort((a, b) => a.kl - b.kl || a.reward - b.reward)) {
    while (hull.length >= 2 && below(hull[hull.length - 2], hull[hull.length - 1], point)) hull.pop()
    hull.push(point)
  }
  const top = hull.reduce((best, { reward }, at) => (reward > hull[best].reward ? at : best), 0)
  return hull.slice(0, top + 1)
}
