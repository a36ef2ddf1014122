import type { Model } from '@collimate/core'

/**
 * A process reward model for laws and tests: what it says of a token depends on that token and on every one that it sees, in
 * their order, and on nothing else.
 */
export const prefixModel = (seed = 1): Pick<Model, 'outputs'> => ({
  async outputs({ batch }) {
    const { tokens, segments, prompts, positions, width, sources, tokenMask } = batch
    const values = Float64Array.from(sources, (place, step) => {
      if (tokenMask[step] === 0) return 0
      let state = seed
      for (let at = place - (place % width); at <= place; at++)
        if (segments[at] === segments[place] || segments[at] === prompts[place])
          state = Math.sin(3 * state + tokens[at] + positions[at] / 7)
      return 4 * state
    })
    return { values }
  },
})
