import { createInterface } from 'node:readline/promises'
import { isKind, kinds, type Kind } from './kinds.js'
import { namesOutside } from './names.js'
import { UsageError } from './usage-error.js'

/** What a plugin is made from. */
export interface Request {
  readonly name: string
  readonly kind: Kind
}

/** What was given on the command line; what is missing is asked for where somebody can answer. */
export async function complete(
  given: { readonly name?: string; readonly kind?: string },
  { input, output }: { input: NodeJS.ReadStream; output: NodeJS.WriteStream } = {
    input: process.stdin,
    output: process.stdout,
  },
): Promise<Request> {
  if (given.kind !== undefined) kindOf(given.kind)
  if (given.name !== undefined) namesOutside(given.name)
  if (given.kind !== undefined && given.name !== undefined) return { name: given.name, kind: kindOf(given.kind) }
  if (!input.isTTY || !output.isTTY)
    throw new UsageError(
      'COLLIMATE_USAGE',
      `${given.name === undefined ? 'a name' : 'the kind'} is missing`,
      'e.g. npm create collimate-plugin word-count -- --kind reward',
    )
  const terminal = createInterface({ input, output })
  try {
    return { kind: await askKind(given.kind), name: given.name ?? (await askName()) }
  } finally {
    terminal.close()
  }

  async function askKind(known: string | undefined): Promise<Kind> {
    if (known !== undefined) return kindOf(known)
    const list = Object.entries(kinds).map(([kind, { about }], i) => `  ${i + 1}  ${kind.padEnd(10)} ${about}\n`)
    output.write(`Kinds of plugin:\n${list.join('')}`)
    for (;;) {
      const answer = (await terminal.question('Kind (name or number): ')).trim()
      const kind = Object.keys(kinds)[Number(answer) - 1] ?? answer
      if (isKind(kind)) return kind
    }
  }
  async function askName(): Promise<string> {
    for (;;) {
      const answer = (await terminal.question('Name (e.g. word-count): ')).trim()
      try {
        namesOutside(answer)
        return answer
      } catch (error) {
        output.write(`${(error as Error).message}: ${(error as UsageError).hint}\n`)
      }
    }
  }
}

function kindOf(text: string): Kind {
  if (isKind(text)) return text
  throw new UsageError('COLLIMATE_USAGE', `there is no kind "${text}"`, `kinds: ${Object.keys(kinds).join(', ')}`)
}
