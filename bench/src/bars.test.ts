import { expect, test } from 'vitest';
import { judge } from './bars.ts';
import type { Figures, ScenarioFigures } from './results.ts';
import type { Bar } from './scenario.ts';

function figures(rps: number[], p99_ms: number[], rss_mib: number): Figures {
  return { rps, p99_ms, cores: rps.map(() => 1), rss_mib, rss_loaded_mib: rss_mib };
}

const measured: ScenarioFigures = {
  gatehouse: { ...figures([70, 80, 70], [4, 4, 4], 89.5), open_mib: [99.5, 120] },
  nginx: figures([100, 100, 100], [1, 1, 1], 8),
  envoy: figures([35, 40, 35], [4, 4, 4], 70),
};

const throughput = (to: string, atLeast: number): Bar => ({
  kind: 'throughput',
  of: 'gatehouse',
  to,
  atLeast,
});
const p99 = (to: string, atMost: number): Bar => ({ kind: 'p99', of: 'gatehouse', to, atMost });
const memory = (of: string, belowMib: number): Bar => ({ kind: 'idle-memory', of, belowMib });
const open = (of: string, belowMib: number): Bar => ({ kind: 'open-memory', of, belowMib });

test.each<[Bar, number, string]>([
  [throughput('nginx', 0.7), 0.7, 'met'],
  [throughput('nginx', 0.71), 0.7, 'missed'],
  [throughput('envoy', 1.8), 2, 'met'],
  [throughput('caddy', 0.1), Number.NaN, 'not measured'],
  [p99('envoy', 1), 1, 'met'],
  [p99('nginx', 1), 4, 'missed'],
  [p99('caddy', 1), Number.NaN, 'not measured'],
  [memory('gatehouse', 90), 89.5, 'met'],
  [memory('gatehouse', 89.5), 89.5, 'missed'],
  [memory('caddy', 90), Number.NaN, 'not measured'],
  [open('gatehouse', 100), 99.5, 'met'],
  [open('gatehouse', 99), 99.5, 'missed'],
  [open('nginx', 99), Number.NaN, 'not measured'],
])('%j measures %d: %s', (bar, value, outcome) => {
  expect(judge(bar, measured)).toMatchObject({ measured: value, outcome });
});
