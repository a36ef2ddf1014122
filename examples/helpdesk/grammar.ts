/**
 * A grammar that speaks questions and answers of a helpdesk.
 *
 * Answers are as good and bad as those that people write: they vary in courtesy, in relevance and in length. The grammar
 * knows nothing of the gold score (gold.ts), and the gold score sees the text alone.
 */
import { courteousClosers, courteousOpeners, days, fillers, rudeClosers, rudeOpeners, slots, topics } from './topics.js'
import type { Topic } from './topics.js'

/** A source of uniform numbers in [0, 1). Equal sources speak equal texts. */
export type Random = () => number

export interface Question {
  readonly topic: Topic
  /** What it is about in particular: an order number, a product, a city, a person. */
  readonly slot: string
  readonly text: string
}

/** How an answer is written. */
export interface Manner {
  readonly courtesy: 'rude' | 'plain' | 'polite' | 'warm'
  /** `exact` names the slot; `vague` does not; `mistaken` names another; `unrelated` answers another question. */
  readonly relevance: 'exact' | 'vague' | 'mistaken' | 'unrelated'
  /** `rambling` adds sentences that say nothing, `repetitive` says its sentence twice, `cut` stops before the end. */
  readonly length: 'ideal' | 'rambling' | 'repetitive' | 'cut'
}

/** Shares of the corpus, as a helpdesk with tired and fresh people might write. */
const shares: { readonly [Aspect in keyof Manner]: Readonly<Record<Manner[Aspect], number>> } = {
  courtesy: { rude: 0.2, plain: 0.35, polite: 0.3, warm: 0.15 },
  relevance: { exact: 0.5, vague: 0.2, mistaken: 0.1, unrelated: 0.2 },
  length: { ideal: 0.65, rambling: 0.15, repetitive: 0.1, cut: 0.1 },
}

export function drawQuestion(random: Random): Question {
  const topic = pick(topics, random)
  const slot = pick(slots[topic.slot].values, random)
  return { topic, slot, text: pick(topic.questions, random).replace('{slot}', slot) }
}

export function drawManner(random: Random): Manner {
  return {
    courtesy: pickByShare(shares.courtesy, random),
    relevance: pickByShare(shares.relevance, random),
    length: pickByShare(shares.length, random),
  }
}

export function drawAnswer(question: Question, manner: Manner, random: Random): string {
  const opener = manner.courtesy === 'rude' ? pick(rudeOpeners, random) : pick(courteousOpeners, random)
  const closer = manner.courtesy === 'rude' ? pick(rudeClosers, random) : pick(courteousClosers, random)
  const opens = manner.courtesy === 'warm' || (manner.courtesy !== 'plain' && random() < 0.5)
  const closes = manner.courtesy === 'warm' || (manner.courtesy !== 'plain' && !opens)
  const body = drawBody(question, manner.relevance, random)
  const padding =
    manner.length === 'rambling'
      ? [pick(fillers, random), pick(fillers, random)]
      : manner.length === 'repetitive'
        ? [body]
        : []
  const text = [...(opens ? [opener] : []), body, ...padding, ...(closes ? [closer] : [])].join(' ')
  return manner.length === 'cut' ? text.split(' ').slice(0, -2).join(' ') : text
}

/** The prompt as the model reads it; a completion follows after a space. */
export function promptOf(question: Question): string {
  return `Customer: ${question.text}\nAgent:`
}

function drawBody(question: Question, relevance: Manner['relevance'], random: Random): string {
  const topic = relevance === 'unrelated' ? other(topics, question.topic, random) : question.topic
  const values: readonly string[] = slots[topic.slot].values
  const slot = relevance === 'exact' ? question.slot : other(values, question.slot, random)
  const template = pick(relevance === 'vague' ? topic.vague : topic.exact, random)
  return template.replace('{slot}', slot).replace('{day}', pick(days, random))
}

function pick<T>(from: readonly T[], random: Random): T {
  return from[Math.floor(random() * from.length)]
}

/** One of the values that is not `value`. */
function other<T>(from: readonly T[], value: T, random: Random): T {
  return pick(
    from.filter((candidate) => candidate !== value),
    random,
  )
}

function pickByShare<Name extends string>(byName: Readonly<Record<Name, number>>, random: Random): Name {
  const names = Object.keys(byName) as Name[]
  let rest = random()
  for (const name of names) {
    rest -= byName[name]
    if (rest < 0) return name
  }
  return names[names.length - 1]
}
