import { relative, resolve } from 'node:path'
import { Command, CommanderError } from 'commander'
import { complete } from './ask.js'
import { kinds } from './kinds.js'
import { namesOutside } from './names.js'
import { renderOutside } from './render.js'
import { UsageError } from './usage-error.js'
import { collimateVersion } from './versions.js'
import { writeFiles } from './write.js'

const command = new Command('create-collimate-plugin')
  .description('make a working plugin for Collimate, its laws already wired')
  .version(collimateVersion)
  .argument('[name]', 'short name, e.g. word-count; or of the package, e.g. @me/collimate-plugin-word-count')
  .option('--kind <kind>', Object.keys(kinds).join(', '))
  .option('--folder <path>', 'where to write it; default a folder named like the package')
  .addHelpText(
    'after',
    `
Kinds:
${Object.entries(kinds)
  .map(([kind, { about }]) => `  ${kind.padEnd(10)} ${about}`)
  .join('\n')}

Example:
  npm create collimate-plugin word-count -- --kind reward`,
  )
  .exitOverride()
  .action(async (name: string | undefined, options: { kind?: string; folder?: string }) => {
    const request = await complete({ ...(name !== undefined && { name }), ...options })
    const packageName = namesOutside(request.name).package
    const folder = resolve(options.folder ?? packageName.replace(/^@.*\//, ''))
    const files = renderOutside(request.kind, request.name)
    writeFiles(folder, files)
    process.stdout.write(`${packageName}: ${files.size} files in ${folder}

  cd ${relative(process.cwd(), folder) || '.'}
  npm install
  npm test           # its laws, and a test of its own
  npm run example    # an experiment that uses it
`)
  })

try {
  await command.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else if (error instanceof UsageError) {
    process.stderr.write(`error ${error.code}: ${error.message} (${error.hint})\n`)
    process.exitCode = error.code === 'COLLIMATE_USAGE' ? 2 : 1
  } else {
    const { message, code } = error as NodeJS.ErrnoException
    // readline ends with this where the question is answered with Ctrl-C.
    if (code === 'ABORT_ERR') process.exitCode = 130
    else {
      process.stderr.write(`error COLLIMATE_UNEXPECTED: ${message}\n`)
      process.exitCode = 1
    }
  }
}
