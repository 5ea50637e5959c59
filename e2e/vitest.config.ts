import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { figuresReporter } from './src/report.ts';

const shared = {
  root: import.meta.dirname,
  testTimeout: 180_000,
  hookTimeout: 1_800_000,
  pool: 'forks' as const,
};

/** What the last ones say depends on what the others did. */
const last = ['gateway', 'permissions', 'upgrade', 'uninstall'];

class InOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) =>
      last.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
    return files.sort((a, b) => place(a) - place(b) || a.moduleId.localeCompare(b.moduleId));
  }
}

/** One machine, real clusters: everything runs one after the other. */
export default defineConfig({
  test: {
    fileParallelism: false,
    sequence: { sequencer: InOrder },
    reporters: ['default', figuresReporter(process.env.E2E_REPORT), ...countsFile()],
    projects: [
      // An API server of its own, no node.
      {
        test: {
          ...shared,
          name: 'control-plane',
          include: ['suites/*.test.ts', 'suites/controller/*.test.ts'],
        },
      },
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

/** For programs that count what passed. */
function countsFile(): ['json', { outputFile: string }][] {
  const outputFile = process.env.E2E_COUNTS;
  return outputFile ? [['json', { outputFile }]] : [];
}
