import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      '{crds,snapshot,controller,dataplane,standalone,bench,scripts}/**/*.test.ts',
      // The suites need a cluster: make e2e.
      'e2e/{cluster,load,src}/**/*.test.ts',
    ],
    globalSetup: ['scripts/announce-missing.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
