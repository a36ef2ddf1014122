import { kinds, type Kind } from './kinds.js'
import type { Names } from './names.js'
import { collimateVersion, versions } from './versions.js'

/** The first sentence that a list of packages shows. */
const description: Readonly<Record<Kind, string>> = {
  reward: 'Rewards answers of a given length.',
  estimator: 'Advantages: the discounted reward to go, minus its mean over the batch.',
  trainer: 'Supervised fine-tuning, the plain loop.',
  objective: 'Focal loss of tokens: what is already likely counts less.',
  backend: 'Interprets tensor programs in float64 and counts the runs of each.',
  tracker: 'Writes the logged metrics of a run to a CSV file.',
  data: 'Sums and their results, made in memory.',
  evaluator: 'Mean length of the answers to held-out prompts.',
}

const ours = (names: readonly string[], version: string): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, version]))

/** The package.json of a plugin outside of the repository. */
export function manifestOutside(kind: Kind, names: Names): Record<string, unknown> {
  const { imports, exampleImports } = kinds[kind]
  const range = `^${collimateVersion}`
  const peers = ['@collimate/core', ...imports]
  return {
    name: names.package,
    version: '0.1.0',
    description: description[kind],
    keywords: ['collimate-plugin', `collimate-${kind}`],
    license: 'Apache-2.0',
    type: 'module',
    sideEffects: false,
    engines: { node: '>=20.19' },
    exports: {
      '.': { types: './dist/index.d.ts', default: './dist/index.js' },
      './laws': { types: './dist/laws.d.ts', default: './dist/laws.js' },
      './package.json': './package.json',
    },
    files: ['dist', 'README.md', 'LICENSE'],
    scripts: {
      build: 'tsc -p tsconfig.build.json',
      typecheck: 'tsc',
      test: 'vitest run',
      laws: 'collimate laws .',
      example: 'npm run build && collimate run example/experiment.yaml',
      prepack: 'npm run build',
    },
    peerDependencies: { ...ours(peers, range), '@collimate/laws': range },
    // Only who checks the laws needs them.
    peerDependenciesMeta: { '@collimate/laws': { optional: true } },
    dependencies: { zod: `^${versions.zod}` },
    devDependencies: {
      ...ours(['@collimate/cli', ...new Set([...peers, ...exampleImports, '@collimate/laws'])].sort(), range),
      '@types/node': `^${versions['@types/node']}`,
      typescript: `^${versions.typescript}`,
      vitest: `^${versions.vitest}`,
    },
  }
}

/** The package.json of a plugin in the repository, as its neighbours have it. */
export function manifestInside(kind: Kind, names: Names): Record<string, unknown> {
  const entry = (file: string): Record<string, string> => ({
    '@collimate/source': `./src/${file}.ts`,
    types: `./dist/${file}.d.ts`,
    default: `./dist/${file}.js`,
  })
  return {
    name: names.package,
    version: collimateVersion,
    description: description[kind],
    license: 'Apache-2.0',
    type: 'module',
    sideEffects: false,
    engines: { node: '>=20.19' },
    exports: { '.': entry('index'), './laws': entry('laws'), './package.json': './package.json' },
    files: ['dist', 'src', '!src/**/*.test.ts', '!dist/*.tsbuildinfo', 'README.md'],
    dependencies: { ...ours(['@collimate/core', ...kinds[kind].imports], collimateVersion), zod: versions.zod },
    peerDependencies: { '@collimate/laws': collimateVersion },
    peerDependenciesMeta: { '@collimate/laws': { optional: true } },
    devDependencies: { '@collimate/laws': collimateVersion },
    nx: { tags: ['layer:plugin', `kind:${kind}`] },
  }
}

/** The tsconfig.json of a plugin in the repository: references follow the dependencies. */
export function tsconfigInside(kind: Kind): Record<string, unknown> {
  const packages = ['@collimate/core', ...kinds[kind].imports, '@collimate/laws']
  return {
    extends: '../../tsconfig.base.json',
    compilerOptions: { rootDir: 'src', outDir: 'dist', tsBuildInfoFile: 'dist/tsconfig.tsbuildinfo' },
    include: ['src/**/*.ts'],
    exclude: ['src/**/*.test.ts'],
    references: packages.map((name) => ({ path: `../../packages/${name.slice('@collimate/'.length)}` })),
  }
}
