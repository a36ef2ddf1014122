#!/usr/bin/env node
import { existsSync } from 'node:fs'

if (existsSync(new URL('../dist/main.js', import.meta.url))) {
  await import('../dist/main.js')
} else {
  process.stderr.write(
    'error COLLIMATE_NOT_BUILT: the command is not built yet (run `npm run build` in the repository)\n',
  )
  process.exitCode = 1
}
