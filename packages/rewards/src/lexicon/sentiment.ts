import { wordsOf } from '../words.js'
import type { Lexicon } from './lexicon.js'

/** What a word of degree adds to the valence of a word behind it, away from zero or, where it weakens, towards it. */
const DEGREE = 0.293
/** Weight of a word of degree 1, 2 or 3 words before. */
const FADING = [1, 0.95, 0.9]
/** What a negation multiplies by: "not good" is less bad than "good" is good. */
const NEGATION = -0.74
/** About the greatest expected sum; it brings sums between −1 and 1. */
const ALPHA = 15

const listed = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/))
const stronger = listed(
  `absolutely amazingly awfully completely deeply enormously entirely especially exceptionally extremely greatly highly
  hugely incredibly intensely more most particularly purely quite really remarkably so thoroughly totally tremendously
  unusually utterly very`,
)
const weaker = listed(
  'almost barely hardly kinda less little marginally occasionally partly scarcely slightly somewhat sorta',
)
const negations = listed('cannot despite neither never no none nope nor not nothing nowhere rarely seldom without')
/** Verbs before n't, with and without their apostrophe. */
const negated = listed(
  'ai are ca could dare did does do had has have is might must need ought sha should was were wo would',
)

/**
 * Sentiment of a text by the valences of its words, −1 to 1: VADER (Hutto and Gilbert, ICWSM 2014) in a simple form. The
 * valence of a word of the lexicon changes by the three words before it, unless they have a valence themselves: words of
 * degree ("very", "slightly") add or take 0.293, less with distance, negations ("not", "can't") multiply by −0.74. The sum s
 * becomes s / √(s² + 15). Left out: capitals and exclamation marks, which a policy would learn to write; "but"; idioms.
 */
export function sentiment(text: string, lexicon: Lexicon): number {
  const words = wordsOf(text).map((token) => wordOf(token.toLowerCase(), lexicon))
  const sum = words.reduce((total, _, at) => total + valenceAt(words, at, lexicon), 0)
  return sum / Math.sqrt(sum * sum + ALPHA)
}

/** A token without punctuation around it, unless it is an emoticon of the lexicon. */
function wordOf(token: string, lexicon: Lexicon): string {
  return lexicon.has(token) ? token : token.replace(/^[\p{P}\p{S}]+|[\p{P}\p{S}]+$/gu, '')
}

function valenceAt(words: readonly string[], at: number, lexicon: Lexicon): number {
  const own = lexicon.get(words[at])
  if (own === undefined || stronger.has(words[at]) || weaker.has(words[at])) return 0
  const next = words[at + 1]
  // "kind of" is not kind, and "no" before a word of the lexicon negates that word.
  if ((words[at] === 'kind' && next === 'of') || (words[at] === 'no' && lexicon.has(next))) return 0
  let valence = words[at - 1] === 'no' || words[at - 2] === 'no' ? own * NEGATION : own
  for (const [before, weight] of FADING.entries()) {
    const word = words[at - 1 - before]
    if (word === undefined || word === 'no' || lexicon.has(word)) continue
    const degree = stronger.has(word) ? DEGREE : weaker.has(word) ? -DEGREE : 0
    valence += Math.sign(valence) * degree * weight
    if (isNegation(word)) valence *= NEGATION
  }
  return valence
}

function isNegation(word: string): boolean {
  return negations.has(word) || (/n['’]?t$/.test(word) && negated.has(word.replace(/n['’]?t$/, '')))
}
