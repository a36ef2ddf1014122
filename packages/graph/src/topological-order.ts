import type { Tensor } from './tensor.js'

/** Everything that the roots depend on, operands before their uses; without recursion, for deep expressions. */
export function topologicalOrder(roots: readonly Tensor[]): Tensor[] {
  const order: Tensor[] = []
  const seen = new Set<Tensor>()
  const open: { tensor: Tensor; next: number }[] = []
  for (const root of roots) {
    if (seen.has(root)) continue
    seen.add(root)
    open.push({ tensor: root, next: 0 })
    while (open.length > 0) {
      const top = open[open.length - 1]
      if (top.next === top.tensor.inputs.length) {
        order.push(top.tensor)
        open.pop()
        continue
      }
      const operand = top.tensor.inputs[top.next++]
      if (seen.has(operand)) continue
      seen.add(operand)
      open.push({ tensor: operand, next: 0 })
    }
  }
  return order
}
