import { groups, type Group, type Law, type LawSuite } from '@collimate/laws'
import type { LawBook } from './books.js'
import { sentences } from './sentences.js'

/** A law as the catalogue tells it: once, with all that it is checked on. */
interface Entry {
  readonly name: string
  /** Laws that differ in one word of their names, such as `backend/value/add`, share an entry; the words, in order. */
  readonly members: readonly string[]
  readonly bindings: readonly { readonly book: LawBook; readonly suite: LawSuite; readonly law: Law }[]
}

/** The laws of books as a page of Markdown: group by group, each law with its formula, source, and what it is checked on. */
export function catalogue(books: readonly LawBook[]): string {
  const entries = entriesOf(books)
  const inGroup = (group: Group): Entry[] => entries.filter(({ name }) => name.startsWith(`${group}/`))
  const present = (Object.keys(groups) as Group[]).filter((group) => inGroup(group).length > 0)
  const number = (group: Group): number => Object.keys(groups).indexOf(group) + 1
  return [
    introduction,
    '## Groups',
    table([
      ['', 'group', 'laws', 'checked on'],
      ...present.map((group) => [
        `${number(group)}`,
        `[${groups[group]}](#${anchor(`${number(group)}. ${groups[group]}`)})`,
        String(inGroup(group).reduce((sum, { members }) => sum + Math.max(1, members.length), 0)),
        [...new Set(inGroup(group).flatMap(({ bindings }) => bindings.map(({ book }) => book.name)))].join(', '),
      ]),
    ]),
    ...present.flatMap((group) => [
      `## ${number(group)}. ${groups[group]}`,
      sentences[group],
      ...inGroup(group).map((entry) => entryLines(entry, books)),
    ]),
    '## What is checked',
    'One row per suite. What a manifest does not claim is not checked, and is declared unsupported.',
    ...books.flatMap((book) => [
      `### ${book.name}`,
      table([
        ['contract', 'subject', 'laws', 'declared unsupported'],
        ...book.suites.map((suite) => [
          ...[suite.contract, suite.subject, String(suite.laws.length)],
          suite.unsupported.map(({ capability }) => capability).join(', '),
        ]),
      ]),
    ]),
    '',
  ].join('\n\n')
}

const introduction = `# Laws

<!-- Written by \`npm run docs:laws\` from the laws themselves; change those. -->

A law is a sentence about the mathematics that holds for every case. Each is a value of [\`@collimate/laws\`](../packages/laws): a
statement, a formula, its source, a generator of random cases, and a check that says what it found where it fails. \`npm test\` checks every
law on every plugin in the repository, \`collimate laws\` on what is installed:

\`\`\`sh
collimate laws                        # everything, 100 cases per law
collimate laws dpo --runs 1000        # one plugin, deeper
collimate laws ./my-plugin            # one of your own
collimate laws dpo --law bradley-terry/complement --seed 42 --path 3:0:1      # a failure again
\`\`\`

A law that fails prints its sentence, the smallest counterexample that was found, and the seed and path that replay it. How to check code of
your own is in [packages/laws](../packages/laws/README.md).`

function entriesOf(books: readonly LawBook[]): Entry[] {
  const found = new Map<string, { members: Set<string>; bindings: Entry['bindings'][number][] }>()
  for (const book of books)
    for (const suite of book.suites)
      for (const law of suite.laws) {
        const [group, family, member] = law.name.split('/')
        const name = member === undefined ? law.name : `${group}/${family}/…`
        const entry = found.get(name) ?? { members: new Set(), bindings: [] }
        if (member !== undefined) entry.members.add(member)
        entry.bindings.push({ book, suite, law })
        found.set(name, entry)
      }
  return [...found].map(([name, { members, bindings }]) => ({ name, members: [...members], bindings }))
}

function entryLines({ name, members, bindings }: Entry, books: readonly LawBook[]): string {
  const told = (what: (law: Law) => string): [string, string[]][] => {
    const byText = new Map<string, Set<string>>()
    for (const { law, suite } of bindings) {
      const member = law.name.split('/')[2]
      const text = member === undefined ? what(law) : what(law).replaceAll(new RegExp(`\\b${member}\\b`, 'g'), '…')
      byText.set(text, (byText.get(text) ?? new Set()).add(suite.subject))
    }
    return [...byText].map(([text, subjects]) => [text, [...subjects]])
  }
  const statements = told(({ statement }) => sentence(statement))
  const formulas = told(({ formula }) => formula)
  const of = members.length > 0 ? ` One law each for ${members.join(', ')}.` : ''
  return [
    `### \`${name}\`\n`,
    ...listed(statements, (text) => text + of),
    '',
    ...(formulas.length === 1
      ? [`- formula: ${code(formulas[0][0])}`]
      : ['- formula:', ...formulas.map(([text, subjects]) => `  - ${code(text)}: ${subjects.join(', ')}`)]),
    `- source: ${[...new Set(bindings.map(({ law }) => law.source))].join('; ')}`,
    `- checked on: ${where(bindings, books)}`,
    ...declined(name, books),
  ].join('\n')
}

/** One text as a paragraph, several as a list that says of which subjects each is said. */
const listed = (texts: readonly [string, readonly string[]][], line: (text: string) => string): string[] =>
  texts.length === 1
    ? [line(texts[0][0])]
    : texts.map(([text, subjects]) => `- ${line(text)} (${subjects.length > 6 ? 'the others' : subjects.join(', ')})`)

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`)

/** Text as code, also with backticks in it. */
const code = (text: string): string => (text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``)

/** `trainer-dpo (9 of 24)`: packages, with how many of their suites of the contract where it is not all. */
function where(bindings: Entry['bindings'], books: readonly LawBook[]): string {
  return books
    .flatMap((book) => {
      const mine = new Set(bindings.filter((one) => one.book === book).map(({ suite }) => suite))
      if (mine.size === 0) return []
      const contracts = new Set([...mine].map(({ contract }) => contract))
      const all = book.suites.filter(({ contract }) => contracts.has(contract))
      if (mine.size === all.length) return [book.name]
      const subjects = [...mine].map(({ subject }) => subject)
      return [`${book.name} (${mine.size <= 4 ? subjects.join('; ') : `${mine.size} of ${all.length}`})`]
    })
    .join(', ')
}

function declined(name: string, books: readonly LawBook[]): string[] {
  const found = books.flatMap((book) => {
    const suites = book.suites.filter(({ unsupported }) => unsupported.some(({ laws }) => laws.includes(name)))
    if (suites.length === 0) return []
    const contracts = new Set(suites.map(({ contract }) => contract))
    const all = book.suites.filter(({ contract }) => contracts.has(contract)).length
    return [suites.length === all ? book.name : `${book.name} (${suites.length} of ${all})`]
  })
  return found.length === 0 ? [] : [`- declared unsupported by: ${found.join(', ')}`]
}

/** GitHub's anchor of a heading. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replace(/ /g, '-')

function table([head, ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replace(/\|/g, '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
