import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig(({ mode }) => ({
  // At run time the tests read the sources; the type tests read `dist`, as a user's compiler does.
  resolve: {
    alias: [
      { find: /^vitrail$/, replacement: here('src/index.ts') },
      { find: /^vitrail\/recipes$/, replacement: here('recipes/index.ts') },
      { find: /^vitrail\/recipes\/(.*)$/, replacement: here('recipes/$1.ts') },
      { find: /^vitrail\/search$/, replacement: here('src/search/index.ts') },
      { find: /^vitrail\/training$/, replacement: here('src/training/index.ts') },
      { find: /^vitrail\/testing$/, replacement: here('src/testing/index.ts') },
      { find: /^vitrail\/testing\/arbitraries$/, replacement: here('src/testing/arbitraries/index.ts') },
      { find: /^vitrail\/backends\/(.*)$/, replacement: here('src/backends/$1/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    // `npm run test:deep`; a variable in front of a command is not known to Windows.
    env: mode === 'deep' ? { VITRAIL_DEEP: '1' } : {},
    globalSetup: ['test/buildOnce.ts'],
    // On two cores the default is one worker.
    maxWorkers: '100%',
    // Three compilers run within one test; slow machines share two cores among all of them. Deep runs do many times as much.
    testTimeout: mode === 'deep' ? 600_000 : 120_000,
    hookTimeout: 120_000,
  },
}))
