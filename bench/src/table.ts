import { judge, type Verdict } from './bars.ts';
import type { Figures, Measurement, Results, ScenarioFigures } from './results.ts';
import type { Scenario } from './scenario.ts';
import { median, medianRatio } from './statistics.ts';

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** `alignment` has one letter per column: l or r. */
function table(
  alignment: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const rule = [...alignment].map((side) => (side === 'r' ? '---:' : '---'));
  return [head, rule, ...rows].map(row).join('\n');
}

function figuresTable({ reference }: Scenario, figures: ScenarioFigures): string {
  const yardstick = figures[reference];
  const rows = Object.entries(figures).map(([name, of]) => [
    name,
    Math.round(median(of.rps)).toLocaleString('en-US'),
    yardstick ? medianRatio(of.rps, yardstick.rps).toFixed(2) : '-',
    median(of.p99_ms).toFixed(2),
    median(of.cores).toFixed(2),
    Math.round(
      median(of.rps.map((rps, round) => rps / (of.cores[round] ?? Number.NaN))),
    ).toLocaleString('en-US'),
    of.rss_mib.toFixed(0),
    of.rss_loaded_mib.toFixed(0),
  ]);
  const head = [
    'proxy',
    'requests/s',
    `of ${reference}`,
    'p99 ms',
    'cores used',
    'requests/s a core',
    'RSS idle MiB',
    'RSS loaded MiB',
  ];
  return table('lrrrrrrr', head, rows);
}

const words = { met: 'met', missed: '**MISSED**', 'not measured': '**NOT MEASURED**' };

function barsTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ demand, measured, unit, outcome }) => [
    demand,
    Number.isNaN(measured) ? '-' : `${measured.toFixed(unit === ' MiB' ? 0 : 2)}${unit}`,
    words[outcome],
  ]);
  return table('lrl', ['bar', 'measured', 'result'], rows);
}

/** From this share of the ceiling on, it is no longer sure that the proxy was what limited its figure. */
const nearCeiling = 0.9;

/** A proxy below this had no full core under load: others used the machine, or the load was too small. */
const fullCore = 0.85;

function namesOf(figures: ScenarioFigures, doubtful: (of: Figures) => boolean): string {
  const entries = Object.entries(figures).filter(([, of]) => doubtful(of));
  return entries.map(([name]) => name).join(', ');
}

function connectionsOf({ connections, streams, perRequest }: Scenario['load']): string {
  const count = connections.toLocaleString('en-US');
  if (perRequest) return `${count} connections at a time, one a request`;
  return streams === undefined
    ? `${count} connections`
    : `${count} connections of ${streams} streams`;
}

/** How a scenario was measured, and whose figure the load generator may have limited. */
function describeMethod(
  { load }: Scenario,
  figures: ScenarioFigures,
  { rounds, seconds, ceiling_rps, date }: Measurement,
): string {
  const sentences = [
    `Medians of ${rounds} interleaved rounds of ${seconds} s, ${connectionsOf(load)}, ${date.slice(0, 10)}.`,
  ];
  // At a rate of its own nobody is at any limit.
  if (load.rate !== undefined) {
    sentences.push(
      `About ${load.rate.toLocaleString('en-US')} requests/s are sent, far below what any of them could.`,
    );
    return sentences.join(' ');
  }
  if (ceiling_rps !== undefined) {
    const ceiling = Math.round(ceiling_rps).toLocaleString('en-US');
    sentences.push(`Without a proxy, load generator and backend reach ${ceiling} requests/s.`);
  }
  const most = nearCeiling * (ceiling_rps ?? Number.POSITIVE_INFINITY);
  const near = namesOf(figures, ({ rps }) => median(rps) > most);
  if (near !== '') sentences.push(`Close to that, and perhaps limited by it: ${near}.`);
  const starved = namesOf(figures, ({ cores }) => median(cores) < fullCore);
  if (starved !== '') {
    sentences.push(
      `**Doubtful, since they did not use a full core (a busy machine?): ${starved}.**`,
    );
  }
  return sentences.join(' ');
}

/** One scenario as Markdown: how it was measured, the figures, the bars. */
export function renderScenario(
  scenario: Scenario,
  figures: ScenarioFigures,
  measurement: Measurement,
): string {
  const method = describeMethod(scenario, figures, measurement);
  const verdicts = scenario.bars.map((bar) => judge(bar, figures));
  const parts = [`## ${scenario.name}`, scenario.summary, method, figuresTable(scenario, figures)];
  if (verdicts.length > 0) parts.push(barsTable(verdicts));
  return parts.join('\n\n');
}

/** All results as a Markdown page. Scenarios that are no longer in the registry are left out. */
export function renderResults(
  scenarios: readonly Scenario[],
  { machine, scenarios: measured }: Results,
): string {
  const sections = scenarios.flatMap((scenario) => {
    const figures = measured[scenario.name];
    const measurement = machine.measurements[scenario.name];
    return figures && measurement ? [renderScenario(scenario, figures, measurement)] : [];
  });
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  const about = `${machine.cpu}, ${machine.cores} cores, ${machine.kernel}, Node ${machine.node}; ${versions.join(', ')}.`;
  return `${['# Benchmark results', about, ...sections].join('\n\n')}\n`;
}
