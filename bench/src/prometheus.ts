import { get } from './probe.ts';

/** Reads one value out of a page in the Prometheus text format, summed over its label sets. */
export function parseMetric(page: string, metric: string): number {
  const lines = page
    .split('\n')
    .filter((line) => line.startsWith(`${metric} `) || line.startsWith(`${metric}{`));
  if (lines.length === 0) throw new Error(`Cannot read metric "${metric}": it is not on the page`);
  return lines.reduce(
    (sum, line) => sum + Number(line.replace(/^[^ {]+(\{.*\})? /, '').split(' ')[0]),
    0,
  );
}

/** Values of metrics on a page of this machine, in the order of their names. */
export async function readMetrics(url: string, metrics: readonly string[]): Promise<number[]> {
  const { port, pathname } = new URL(url);
  const { body } = await get({ port: Number(port), path: pathname });
  return metrics.map((metric) => parseMetric(body, metric));
}
