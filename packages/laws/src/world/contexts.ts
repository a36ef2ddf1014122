import type { ForestBatch } from '@collimate/core'
import { vocabularySize, type World } from './world.js'

/** Numbers the contexts of a world: every beginning of a prompt, and a prompt with every beginning of a completion. */
export interface Contexts {
  /** Contexts, with the one that stands for all that the world does not know. */
  readonly count: number
  /** The context of no token. */
  readonly start: number
  /** The context that a token makes of a context; `elsewhere` where the world does not know it. */
  next(context: number, token: number): number
  /** Context of a sequence of tokens. */
  of(tokens: readonly number[] | Int32Array): number
  /** [R·S] for each token of a batch, the context of what it sees: itself and the earlier tokens of its segment and its prompt. */
  ofBatch(batch: Pick<ForestBatch, 'rows' | 'width' | 'tokens' | 'segments' | 'prompts'>): Int32Array
}

/** All that the world does not know shares one context. */
const elsewhere = 0

/** @param finished with the contexts that whole completions make: nothing follows them, but they are scored; default false */
export function contextsOf(
  world: Pick<World, 'letters' | 'prompts' | 'completions'>,
  { finished = false }: { readonly finished?: boolean } = {},
): Contexts {
  const tokens = vocabularySize(world)
  // A trie: children[context · V + token].
  const children: number[] = new Array<number>(2 * tokens).fill(elsewhere)
  const start = 1
  let count = 2
  for (const prompt of world.prompts)
    for (const completion of world.completions) {
      let context = start
      for (const token of [...prompt, ...(finished ? completion : completion.slice(0, -1))]) {
        const edge = context * tokens + token
        if (children[edge] === elsewhere) {
          children[edge] = count++
          for (let i = 0; i < tokens; i++) children.push(elsewhere)
        }
        context = children[edge]
      }
    }
  const next = (context: number, token: number): number => children[context * tokens + token]

  return {
    count,
    start,
    next,
    of: (ids) => Array.from(ids).reduce(next, start),
    ofBatch({ rows, width, tokens: ids, segments, prompts }) {
      const contexts = new Int32Array(rows * width).fill(elsewhere)
      for (let row = 0; row < rows; row++)
        for (let at = row * width; at < (row + 1) * width; at++) {
          if (segments[at] < 0) continue
          let context = start
          for (let seen = row * width; seen <= at; seen++)
            if (segments[seen] === segments[at] || segments[seen] === prompts[at]) context = next(context, ids[seen])
          contexts[at] = context
        }
      return contexts
    },
  }
}
