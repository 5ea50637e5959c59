import { once } from 'node:events';
import { generate, type Load } from './generate.ts';

/**
 * A process of its own, so that nothing of the test runner delays a request: takes the load as JSON
 * in its one argument, runs until its stdin ends, and prints the report.
 */
const running = generate(JSON.parse(process.argv[2] ?? '') as Load);
process.stdin.resume();
await once(process.stdin, 'end');
process.stdout.write(JSON.stringify(await running.stop()));
