import nx from '@nx/eslint-plugin'
import tseslint from 'typescript-eslint'

// Who may import whom (ARCHITECTURE.md, "The house"). Tags stand in each package.json under nx.tags.
const depConstraints = [
  { sourceTag: 'layer:graph', onlyDependOnLibsWithTags: ['layer:graph'] },
  { sourceTag: 'layer:core', onlyDependOnLibsWithTags: ['layer:core'] },
  { sourceTag: 'layer:package', onlyDependOnLibsWithTags: ['layer:core', 'layer:graph'] },
  { sourceTag: 'layer:rollouts', onlyDependOnLibsWithTags: ['layer:core', 'layer:graph', 'layer:package'] },
  { sourceTag: 'layer:laws', onlyDependOnLibsWithTags: ['layer:core', 'layer:graph', 'layer:package'] },
  {
    sourceTag: 'layer:plugin',
    onlyDependOnLibsWithTags: ['layer:core', 'layer:graph', 'layer:package', 'layer:rollouts', 'layer:laws'],
  },
  { sourceTag: 'layer:app', onlyDependOnLibsWithTags: ['*'] },
  { sourceTag: 'layer:tool', onlyDependOnLibsWithTags: ['*'] },
]

export default [
  { ignores: ['**/dist', '**/node_modules', '**/.nx', 'out', 'runs', '**/.cache', 'apps/*/templates'] },
  ...tseslint.configs.recommended,
  { plugins: { '@nx': nx } },
  {
    files: ['{packages,plugins,apps,tools}/**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': ['error', { allow: [], depConstraints, enforceBuildableLibDependency: true }],
    },
  },
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { project: './tsconfig.test.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-console': 'error',
    },
  },
  {
    files: [
      '**/*.test.ts',
      'test/{mutants,mutation}/**',
      'tools/**',
      'examples/**',
      'apps/cli/**',
      'plugins/tracker-console/**',
      '*.config.ts',
    ],
    rules: { 'no-console': 'off' },
  },
  { files: ['**/*.cjs'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
]
