import { basename } from 'node:path'
import ts from 'typescript'

/** The ops that `exchange.ts` has a mistake for. */
const mistaken = new Set(
  (
    'add sub mul div minimum maximum neg square sqrt rsqrt reciprocal relu exp expm1 log sigmoid logSigmoid tanh greater less ' +
    'greaterEqual lessEqual equal and or not where stopGradient'
  ).split(' '),
)

/** The calls of symbolic ops in a file that can be exchanged, by what makes them one of a kind: file, line and column. */
export interface Instrumented {
  readonly code: string
  /** `losses.ts:38:10 add`, in order. */
  readonly sites: readonly string[]
}

/**
 * Turns each call `add(a, b)` of an op that has a mistake into `exchanged('losses.ts:38:10 add', 'add', add)(a, b)`, which calls another op
 * where that mutant is active. Line breaks stay where they are.
 */
export function instrument(file: string, code: string, from: string): Instrumented {
  const source = ts.createSourceFile(file, code, ts.ScriptTarget.Latest, true)
  const declared = namesIn(source)
  const edits: { readonly at: number; readonly end: number; readonly text: string }[] = []
  const sites: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
      const { text } = node.expression
      if (mistaken.has(text) && declared.has(text)) {
        const at = node.expression.getStart(source)
        const { line, character } = source.getLineAndCharacterOfPosition(at)
        const site = `${basename(file)}:${line + 1}:${character + 1} ${text}`
        sites.push(site)
        edits.push({ at, end: node.expression.end, text: `__exchanged('${site}', '${text}', ${text})` })
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  const changed = edits.reduceRight((all, { at, end, text }) => all.slice(0, at) + text + all.slice(end), code)
  return { code: `import { exchanged as __exchanged } from ${JSON.stringify(from)};${changed}`, sites }
}

/** What a file imports or declares at its top: a local variable of the same name is something else. */
function namesIn(source: ts.SourceFile): Set<string> {
  const names = new Set<string>()
  for (const statement of source.statements) {
    if (ts.isFunctionDeclaration(statement) && statement.name) names.add(statement.name.text)
    if (ts.isVariableStatement(statement))
      for (const { name } of statement.declarationList.declarations) if (ts.isIdentifier(name)) names.add(name.text)
    const bindings = ts.isImportDeclaration(statement) ? statement.importClause?.namedBindings : undefined
    if (bindings && ts.isNamedImports(bindings)) for (const { name } of bindings.elements) names.add(name.text)
  }
  return names
}
