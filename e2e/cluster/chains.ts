import { execute, run } from './execute.ts';

const programs = ['iptables', 'ip6tables'];

/** Removes chains whose names begin with one of `prefixes`, with every rule that leads to them. */
export async function removeChains(prefixes: readonly string[]): Promise<void> {
  for (const program of programs) {
    const { code, stdout } = await execute(`${program}-save`, []);
    // A kernel without IPv6 has no such tables.
    if (code !== 0) continue;
    const commands = removal(stdout, prefixes);
    if (commands === '') continue;
    await run(`${program}-restore`, ['--noflush'], { input: commands });
  }
}

/** Input for iptables-restore that removes the chains from what iptables-save printed. */
export function removal(saved: string, prefixes: readonly string[]): string {
  const isOurs = (chain = '') => prefixes.some((prefix) => chain.startsWith(prefix));
  const tables = saved.split(/^(?=\*)/m).filter((text) => text.startsWith('*'));
  return tables
    .map((text) => {
      const lines = text.split('\n');
      const chains = lines.map((line) => /^:(\S+)/.exec(line)?.[1]).filter(isOurs);
      const jumps = lines.filter((line) => {
        const [, chain, target] = /^-A (\S+).* -[jg] (\S+)/.exec(line) ?? [];
        return isOurs(target) && !isOurs(chain);
      });
      if (chains.length === 0) return '';
      return [
        lines[0],
        ...jumps.map((line) => line.replace(/^-A/, '-D')),
        ...chains.map((chain) => `-F ${chain}`),
        ...chains.map((chain) => `-X ${chain}`),
        'COMMIT',
        '',
      ].join('\n');
    })
    .join('');
}
