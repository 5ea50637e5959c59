import type { DataPlaneReport, Report } from './report.ts';

/** How long a data plane that is not connected any more is counted, in milliseconds. */
const defaultMemory = 5000;

/**
 * Adds to each report the data planes that were in it a moment ago: one whose connection broke, or was
 * cut by a controller that stops, goes on serving what it has until it is connected again.
 */
export function createDepartures(memory = defaultMemory, now = () => performance.now()) {
  const last = new Map<string, { report: DataPlaneReport; at: number }>();
  return (report: Report): Report => {
    const at = now();
    for (const one of report.dataPlanes) last.set(one.node, { report: one, at });
    for (const [node, { at: seen }] of last) if (seen + memory < at) last.delete(node);
    const present = new Set(report.dataPlanes.map(({ node }) => node));
    const departed = [...last.values()].filter(({ report: { node } }) => !present.has(node));
    if (departed.length === 0) return report;
    return {
      ...report,
      dataPlanes: [...report.dataPlanes, ...departed.map((one) => one.report)],
    };
  };
}
