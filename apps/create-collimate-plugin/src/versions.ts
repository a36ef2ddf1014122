import { readFileSync } from 'node:fs'

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

/** Version of Collimate that plugins are generated for: all packages of a release have the same. */
export const collimateVersion = manifest.version

/** Versions of what a generated plugin takes from others; the ones that Collimate itself is tested with. */
export const versions = {
  '@types/node': '20.19.43',
  typescript: '5.9.3',
  vitest: '4.1.12',
  zod: '4.6.7',
} as const
