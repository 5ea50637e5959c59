import { defineConfig } from 'vitest/config';

/** The chart, rendered by helm; helm is built when this machine has none (needs Go). */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['tests/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 900_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
