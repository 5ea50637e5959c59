import { defineConfig } from 'vitest/config';

/** Real clusters: slow to start, one at a time. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    testTimeout: 120_000,
    hookTimeout: 1_800_000,
    pool: 'forks',
    fileParallelism: false,
    include: ['suites/**/*.test.ts'],
  },
});
