import type { Figures, ScenarioFigures } from './results.ts';
import type { Bar } from './scenario.ts';
import { median, medianRatio } from './statistics.ts';

export type Verdict = {
  demand: string;
  /** NaN when an entrant that the bar needs was not measured. */
  measured: number;
  unit: '' | ' MiB' | ' ms';
  outcome: 'met' | 'missed' | 'not measured';
};

type Demand = Omit<Verdict, 'outcome'> & { met: boolean };

function ratio(
  figures: ScenarioFigures,
  of: string,
  to: string,
  pick: (of: Figures) => number[],
): number {
  const [one, other] = [figures[of], figures[to]];
  return one && other ? medianRatio(pick(one), pick(other)) : Number.NaN;
}

function weigh(bar: Bar, figures: ScenarioFigures): Demand {
  switch (bar.kind) {
    case 'throughput': {
      const measured = ratio(figures, bar.of, bar.to, (of) => of.rps);
      const demand = `${bar.of}: at least ${bar.atLeast.toFixed(2)} x the requests/s of ${bar.to}`;
      return { demand, measured, unit: '', met: measured >= bar.atLeast };
    }
    case 'p99': {
      const measured = ratio(figures, bar.of, bar.to, (of) => of.p99_ms);
      const demand = `${bar.of}: at most ${bar.atMost.toFixed(2)} x the p99 of ${bar.to}`;
      return { demand, measured, unit: '', met: measured <= bar.atMost };
    }
    case 'added-p99': {
      const [of, to] = [figures[bar.of], figures[bar.to]];
      const added = of && to ? of.p99_ms.map((p99, round) => p99 - (to.p99_ms[round] ?? 0)) : [];
      const measured = added.length === 0 ? Number.NaN : median(added);
      const demand = `${bar.of}: p99 less than ${bar.belowMs} ms above that of ${bar.to}`;
      return { demand, measured, unit: ' ms', met: measured < bar.belowMs };
    }
    case 'open-memory': {
      const measured = figures[bar.of]?.open_mib?.[0] ?? Number.NaN;
      const demand = `${bar.of}: RSS below ${bar.belowMib} MiB once all connections are open`;
      return { demand, measured, unit: ' MiB', met: measured < bar.belowMib };
    }
    case 'idle-memory': {
      const measured = figures[bar.of]?.rss_mib ?? Number.NaN;
      const demand = `${bar.of}: idle RSS below ${bar.belowMib} MiB`;
      return { demand, measured, unit: ' MiB', met: measured < bar.belowMib };
    }
  }
}

/** Holds figures against a bar. */
export function judge(bar: Bar, figures: ScenarioFigures): Verdict {
  const { met, ...verdict } = weigh(bar, figures);
  if (Number.isNaN(verdict.measured)) return { ...verdict, outcome: 'not measured' };
  return { ...verdict, outcome: met ? 'met' : 'missed' };
}
