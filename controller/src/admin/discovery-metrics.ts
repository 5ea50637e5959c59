import type { DiscoveryView } from '../providers/discovery/index.ts';
import type { Metric } from './metrics.ts';

/** Of every Upstream whose endpoints come from Consul or DNS; nothing when there is none. */
export function discoveryMetrics(views: readonly DiscoveryView[]): Metric[] {
  if (views.length === 0) return [];
  return [
    metric(
      'gatehouse_discovery_endpoints',
      'Endpoints that are known.',
      'gauge',
      ({ endpoints }) => endpoints,
    ),
    metric(
      'gatehouse_discovery_answers_total',
      'Answers that were used.',
      'counter',
      ({ answers }) => answers,
    ),
    metric(
      'gatehouse_discovery_failures_total',
      'Attempts that brought no answer, or none that can be used.',
      'counter',
      ({ failures }) => failures,
    ),
    metric(
      'gatehouse_discovery_last_answer_timestamp_seconds',
      'When the last answer that was used came, in seconds since the epoch.',
      'gauge',
      ({ lastAnswer }) => lastAnswer,
    ),
  ];

  function metric(
    name: string,
    help: string,
    type: Metric['type'],
    measure: (view: DiscoveryView) => number | undefined,
  ): Metric {
    const samples = views.flatMap((view) => {
      const { namespace, name: upstream, source } = view;
      const value = measure(view);
      return value === undefined ? [] : [{ labels: { namespace, upstream, source }, value }];
    });
    return { name, help, type, samples };
  }
}
