import { defineConfig } from 'vitest/config';

const shared = {
  root: import.meta.dirname,
  testTimeout: 180_000,
  hookTimeout: 1_800_000,
  pool: 'forks' as const,
};

/** One machine, real clusters: everything runs one after the other. */
export default defineConfig({
  test: {
    fileParallelism: false,
    projects: [
      // An API server of its own, no node.
      { test: { ...shared, name: 'control-plane', include: ['suites/crds.test.ts'] } },
      {
        test: {
          ...shared,
          name: 'cluster',
          include: ['suites/cluster/*.test.ts'],
          globalSetup: ['./src/setup.ts'],
        },
      },
    ],
  },
});
