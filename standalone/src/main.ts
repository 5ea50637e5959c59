#!/usr/bin/env node
import { parseDevOptions, parseExplainOptions, usage } from './options.ts';

async function main(args: string[]): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case 'dev': {
      const options = parseDevOptions(rest);
      const { dev } = await import('./dev.ts');
      return dev(options);
    }
    case 'check': {
      const [folder, ...more] = rest;
      if (folder === undefined || more.length > 0) throw new Error(usage);
      // Loads the whole compiler: nothing else should wait for that.
      const { check } = await import('./check.ts');
      return check(folder);
    }
    case 'explain': {
      const options = parseExplainOptions(rest);
      const { explain } = await import('./explain/explain.ts');
      return explain(options);
    }
    case 'help':
    case '--help':
    case undefined:
      process.stdout.write(`${usage}\n`);
      return command === undefined ? 1 : 0;
    default:
      throw new Error(`Unknown command "${command}"\n${usage}`);
  }
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
