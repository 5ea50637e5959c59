import { fileURLToPath } from 'node:url';
import { runChecks } from './demo/run-checks.ts';
import { runDemo } from './demo/run-demo.ts';

/**
 * `make demo` runs the example shop behind a gateway until Ctrl-C; with --check it asserts what the
 * examples promise and exits with 0 or 1.
 */
const examples = fileURLToPath(new URL('../examples', import.meta.url));

async function main([flag, ...more]: string[]): Promise<number> {
  if (more.length > 0 || (flag !== undefined && flag !== '--check')) {
    throw new Error('Usage: demo [--check]');
  }
  return flag === '--check' ? runChecks(examples) : runDemo(examples);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
