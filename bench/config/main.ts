import { usage } from './options.ts';
import { run } from './run.ts';

const args = process.argv.slice(2);
if (args.includes('--help')) process.stdout.write(usage);
else {
  process.exitCode = await run(args).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  });
}
