import { expect, test } from 'vitest';
import type { Figures, Measurement, Results } from './results.ts';
import type { Scenario } from './scenario.ts';
import { renderResults, renderScenario } from './table.ts';

const scenario: Scenario = {
  name: 'plain',
  summary: 'One route.',
  load: { connections: 64, paths: ['/'] },
  entrants: [],
  reference: 'nginx',
  bars: [
    { kind: 'throughput', of: 'gatehouse', to: 'nginx', atLeast: 0.7 },
    { kind: 'idle-memory', of: 'gatehouse', belowMib: 90 },
    { kind: 'p99', of: 'gatehouse', to: 'envoy', atMost: 1 },
  ],
};

const measurement: Measurement = {
  date: '2026-11-25T10:00:00.000Z',
  rounds: 2,
  seconds: 4,
  ceiling_rps: 80000,
};

function figures(rps: number[], rss_mib: number): Figures {
  return { rps, p99_ms: [4.5, 4.7], cores: [1, 1], rss_mib, rss_loaded_mib: rss_mib + 20 };
}

const measured = { gatehouse: figures([56000, 60000], 95), nginx: figures([70000, 80000], 8) };

const section = `## plain

One route.

Medians of 2 interleaved rounds of 4 s, 64 connections, 2026-11-25. Without a proxy, load generator and backend reach 80,000 requests/s. Close to that, and perhaps limited by it: nginx.

| proxy | requests/s | of nginx | p99 ms | cores used | requests/s a core | RSS idle MiB | RSS loaded MiB |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| gatehouse | 58,000 | 0.78 | 4.60 | 1.00 | 58,000 | 95 | 115 |
| nginx | 75,000 | 1.00 | 4.60 | 1.00 | 75,000 | 8 | 28 |

| bar | measured | result |
| --- | ---: | --- |
| gatehouse: at least 0.70 x the requests/s of nginx | 0.78 | met |
| gatehouse: idle RSS below 90 MiB | 95 MiB | **MISSED** |
| gatehouse: at most 1.00 x the p99 of envoy | - | **NOT MEASURED** |`;

test('a scenario shows its figures and what became of its bars', () => {
  expect(renderScenario(scenario, measured, measurement)).toBe(section);
});

test('a reference that was not measured leaves the ratio open', () => {
  const text = renderScenario(scenario, { gatehouse: measured.gatehouse }, measurement);
  expect(text).toContain('| gatehouse | 58,000 | - |');
});

test.each([
  [{ streams: 8 }, '64 connections of 8 streams'],
  [{ perRequest: true }, '64 connections at a time, one a request'],
])('a load of %j is described, without a figure that was not measured', (load, text) => {
  const of: Scenario = { ...scenario, load: { ...scenario.load, ...load } };
  const { ceiling_rps: _, ...other } = measurement;
  const shown = renderScenario(of, measured, other);
  expect(shown).toContain(`rounds of 4 s, ${text}, 2026-11-25.\n\n`);
  expect(shown).not.toContain('Without a proxy');
});

test('a proxy that had no full core is named', () => {
  const starved = { ...measured, gatehouse: { ...measured.gatehouse, cores: [0.4, 0.5] } };
  expect(renderScenario(scenario, starved, measurement)).toMatch(/full core .*: gatehouse\.\*\*/);
  expect(section).not.toContain('full core');
});

test('the page names the machine and skips what the registry no longer has', () => {
  const results: Results = {
    machine: {
      cpu: 'A CPU',
      cores: 2,
      memory_gib: 24,
      kernel: 'linux 6.18 x64',
      node: 'v26.10.0',
      versions: { nginx: '1.22.1' },
      date: measurement.date,
      measurements: { plain: measurement, retired: measurement },
    },
    scenarios: { plain: measured, retired: measured },
  };
  expect(renderResults([scenario], results)).toBe(
    `# Benchmark results\n\nA CPU, 2 cores, linux 6.18 x64, Node v26.10.0; nginx 1.22.1.\n\n${section}\n`,
  );
});
