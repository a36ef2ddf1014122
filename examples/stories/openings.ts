/**
 * Openings of children's stories, for prompts: `npx tsx examples/stories/openings.ts` writes ../data/openings.jsonl, which is
 * in the repository. Every combination is taken once, in an order that a seed fixes, so that the held-out ones are like the others.
 */
import { writeFile } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { permutation, stream } from '@collimate/core'

const names = [
  ...['Lily', 'Tom', 'Mia', 'Ben', 'Sara', 'Max', 'Anna', 'Sam', 'Lucy', 'Jack', 'Emma', 'Leo'],
  ...['Sue', 'Tim', 'Amy', 'Bob', 'Jane', 'Joe', 'Kim', 'Dan', 'Mary', 'John', 'Ella', 'Fred'],
]
const beginnings = [
  'Once upon a time, there was a little child named {name}. One day, {name}',
  '{name} had a small dog. Every morning they',
  'One day, {name} went to the park. There was a big',
  '{name} was sad because it was raining. Then',
  'There was a strange noise in the house. {name} was afraid and',
  'It was a sunny day and {name} wanted to play. But',
  '{name} lost a favourite toy. {name} looked',
  'Mom asked {name} to help in the kitchen. {name}',
  'In the forest, {name} met a bear. The bear said,',
  '{name} and a friend had a fight. They',
  'One night, {name} could not sleep. The moon',
  '{name} found a box in the garden. Inside was',
  'It was cold and {name} had no hat. So',
  '{name} saw a bird that could not fly. The bird',
  'Dad and {name} went to the lake. The water was',
  '{name} wanted a cake, but there was no sugar. Mom',
]

/** The rows of ../data/openings.jsonl. */
export function openings(): readonly { readonly prompt: string }[] {
  const all = beginnings.flatMap((text) => names.map((name) => ({ prompt: text.replaceAll('{name}', name) })))
  return Array.from(permutation(1, stream('order'), all.length), (at) => all[at])
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const file = fileURLToPath(new URL('../data/openings.jsonl', import.meta.url))
  await writeFile(
    file,
    openings()
      .map((row) => `${JSON.stringify(row)}\n`)
      .join(''),
  )
}
