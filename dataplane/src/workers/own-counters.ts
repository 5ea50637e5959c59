import { labelsText } from '../state/label-value.ts';
import { createRegion, createSeries, type SeriesName } from '../telemetry/series.ts';
import type { Surroundings } from '../upstreams/surroundings.ts';
import type { Region } from './fleet.ts';

/** Counters of the calling thread, beside those of the threads that serve: they get a region of `regions`. */
export function ownCounters(regions: Region[]): Surroundings['counter'] {
  const names: SeriesName[] = [];
  const series = createSeries(createRegion(), (name) => names.push(name));
  regions.push({ values: series.values, names });
  return (family, labels) => {
    const slot = series.slot(family, labelsText(labels));
    return () => {
      series.values[slot] = (series.values[slot] ?? 0) + 1;
    };
  };
}
