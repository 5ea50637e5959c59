import { fileURLToPath } from 'node:url';
import { runChecks } from './demo/run-checks.ts';
import { runDemo } from './demo/run-demo.ts';

/**
 * `make demo` runs the example shop behind a gateway until Ctrl-C; with --check it asserts what the
 * examples promise and exits with 0 or 1.
 */
const examples = fileURLToPath(new URL('../examples', import.meta.url));
const [flag, ...more] = process.argv.slice(2);
if (more.length > 0 || (flag !== undefined && flag !== '--check')) {
  process.stderr.write('Usage: demo [--check]\n');
  process.exitCode = 1;
} else {
  process.exitCode = flag === '--check' ? await runChecks(examples) : await runDemo(examples);
}
