import { randomInt } from 'node:crypto';
import { optionsOf } from './options.ts';
import { run } from './run.ts';

try {
  process.exitCode = await run(optionsOf(process.env, randomInt(2 ** 31)));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
