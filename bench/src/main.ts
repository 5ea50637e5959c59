import { readOptions } from './options.ts';
import { run } from './run.ts';
import { scenarios } from './scenarios/registry.ts';

const interruption = new AbortController();
// npm passes on a Ctrl-C that the terminal has sent to us already, so a second one must not cut the clean-up short.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => interruption.abort(new Error(`interrupted by ${name}`)));
}

try {
  const notice = (line: string) => console.log(line);
  process.exitCode = await run(readOptions(process.env, scenarios), notice, interruption.signal);
} catch (error) {
  const reason = interruption.signal.aborted ? interruption.signal.reason : error;
  console.error(reason instanceof Error ? reason.message : reason);
  process.exitCode = 1;
}
