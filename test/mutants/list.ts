/** Writes the tables of README.md anew: `npm run mutants:list`. */
import { readFile, writeFile } from 'node:fs/promises'
import prettier from 'prettier'
import { tables } from './listed.js'

const file = new URL('README.md', import.meta.url)
const text = await readFile(file, 'utf8')
const head = text.slice(0, text.indexOf('## Mutants'))
const options = await prettier.resolveConfig(file)
await writeFile(file, await prettier.format(head + tables(), { ...options, parser: 'markdown' }))
process.exit(0)
