import { readFileSync } from 'node:fs'

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

/** Version of @collimate/core: what a plugin's `engine` range is held against. */
export const coreVersion = manifest.version
