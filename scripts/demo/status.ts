import type { Gatehouse } from '../../standalone/src/testing/gatehouse.ts';

/** The last line about an object; waits for the first one. */
export async function statusOf(gatehouse: Gatehouse, id: string, from = 0): Promise<string> {
  const pattern = new RegExp(`^${id}: `);
  await gatehouse.line(pattern, { from });
  const lines = gatehouse.stderr().slice(from).split('\n');
  return (lines.findLast((line) => pattern.test(line)) ?? '').slice(id.length + 2);
}
