// Mutation testing of the mathematics; run by test/mutation/run.ts (`npm run mutation`), which says what is mutated.
const area = process.env.COLLIMATE_MUTATION_AREA ?? 'all'

export default {
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'vitest.mutation.config.ts', related: false },
  coverageAnalysis: 'perTest',
  // Texts of errors are no mathematics; a mutated name of an op fails to resolve.
  mutator: { excludedMutations: ['StringLiteral'] },
  ignoreStatic: true,
  thresholds: { high: 95, low: 90, break: 80 },
  reporters: ['clear-text', 'json'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: `out/mutation/${area}.json` },
  tempDirName: '.cache/stryker',
  ignorePatterns: ['dist', 'out', 'runs', 'docs', 'examples', '.nx', 'tools/bench/files'],
  timeoutMS: 20_000,
  disableTypeChecks: false,
}
