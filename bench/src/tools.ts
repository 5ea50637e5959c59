import { availableParallelism } from 'node:os';
import { findVersion } from './execute.ts';

/** What every run needs, whichever peers take part: the program, how to ask its version, its Debian package. */
const tools = [
  { program: 'wrk', args: ['-v'], pattern: /wrk (?:debian\/)?(\S+)/, package: 'wrk' },
  { program: 'nginx', args: ['-v'], pattern: /nginx\/(\S+)/, package: 'nginx' },
  { program: 'taskset', args: ['--version'], pattern: /(\d\S*)/, package: 'util-linux' },
];

/** Checks that the machine can measure at all and returns the version of wrk. */
export async function requireTools(): Promise<string> {
  if (process.platform !== 'linux')
    throw new Error('Cannot measure here: pinning and memory figures need Linux');
  if (availableParallelism() < 2) {
    throw new Error(
      'Cannot measure here: it takes two cores, one for the proxy and one for load and backend',
    );
  }
  const versions = await Promise.all(
    tools.map((tool) => findVersion(tool.program, tool.args, tool.pattern)),
  );
  const missing = tools.filter((_, index) => versions[index] === undefined);
  if (missing.length > 0) {
    const programs = missing.map((tool) => tool.program).join(' and ');
    const packages = missing.map((tool) => tool.package).join(' ');
    throw new Error(`Cannot measure without ${programs}: install the Debian packages: ${packages}`);
  }
  return versions[0] ?? 'unknown';
}
