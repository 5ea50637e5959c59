import type { LastKnownGoodState } from '../subscribe/last-known-good.ts';
import type { SubscriptionState } from '../subscribe/subscribe.ts';
import type { ProcessMetric } from './prometheus.ts';

/** Numbers of the whole process, named as the Prometheus client libraries name them. */
export function processMetrics(
  subscription: SubscriptionState,
  lkg: LastKnownGoodState | undefined,
  replicas: number,
): ProcessMetric[] {
  const { user, system } = process.cpuUsage();
  const gauge = (name: string, help: string, value: number) =>
    ({ name, type: 'gauge', help, value }) as const;
  const counter = (name: string, help: string, value: number) =>
    ({ name, type: 'counter', help, value }) as const;
  return [
    counter('process_cpu_seconds_total', 'CPU time in seconds.', (user + system) / 1e6),
    gauge('process_resident_memory_bytes', 'Resident memory in bytes.', process.memoryUsage.rss()),
    gauge(
      'process_start_time_seconds',
      'Start of the process in seconds since the epoch.',
      (Date.now() - process.uptime() * 1000) / 1000,
    ),
    gauge(
      'gatehouse_controller_connected',
      'Whether the stream to the controller is open.',
      subscription.connected ? 1 : 0,
    ),
    gauge(
      'gatehouse_rate_limit_replicas',
      'Data planes that share the limits whose store is Shared, as the controller says; 0 before it does.',
      replicas,
    ),
    counter(
      'gatehouse_snapshot_refused_total',
      'Snapshots that were refused as a whole or in part.',
      subscription.refused,
    ),
    counter(
      'gatehouse_last_known_good_saves_total',
      'Times the last known good config was written.',
      lkg?.saves ?? 0,
    ),
    counter(
      'gatehouse_last_known_good_failures_total',
      'Times the last known good config could not be written.',
      lkg?.failures ?? 0,
    ),
  ];
}
