import type { Exchange } from '../exchange/exchange.ts';
import type { LinkedMatch } from '../link/runtime.ts';
import {
  activeConnections,
  durationBounds,
  durationWidth,
  internalErrors,
  labelValue,
  requestDuration,
  requestsTotal,
} from './families.ts';
import type { Series } from './series.ts';

/** Counts what happens on a thread. `exchange` is called once for each exchange, at its end. */
export type Recorder = {
  connections(delta: 1 | -1): void;
  /** A request that was refused before it became an exchange. */
  rejected(status: number): void;
  exchange(exchange: Exchange): void;
  /** Something threw that should not have. */
  bug(error: unknown): void;
};

/** Methods that get a label of their own: what a client makes up must not make new series. */
const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'other'];
const methodIndex = new Map(methods.map((method, index) => [method, index]));
const otherMethod = methods.length - 1;

/** Values of x-client-type that get a label of their own. */
const clientTypes = ['unknown', 'web', 'mobile', 'desktop', 'tv', 'iot', 'partner', 'other'];

/** @param report gets what must not happen, for the log. */
export function createRecorder(series: Series, report: (error: unknown) => void): Recorder {
  const { values } = series;
  const connectionSlot = series.slot(activeConnections.name, '');
  const bugSlot = series.slot(internalErrors.name, '');
  const unmatched: Pick<LinkedMatch, 'pathLabel' | 'counters' | 'histograms'> = {
    pathLabel: 'unmatched',
    counters: new Map(),
    histograms: new Map(),
  };

  function add(slot: number, amount: number) {
    values[slot] = (values[slot] ?? 0) + amount;
  }

  function count(match: typeof unmatched, method: number, status: number, client: number) {
    const key = (status * methods.length + method) * clientTypes.length + client;
    let slot = match.counters.get(key);
    if (slot === undefined) {
      const labels =
        `method="${methods[method]}",path="${labelValue(match.pathLabel)}",` +
        `status="${status}",client_type="${clientTypes[client]}"`;
      slot = series.slot(requestsTotal.name, labels);
      match.counters.set(key, slot);
    }
    add(slot, 1);
  }

  function observe(match: typeof unmatched, method: number, service: string, seconds: number) {
    let slots = match.histograms.get(service);
    if (!slots) {
      slots = methods.map(() => 0);
      match.histograms.set(service, slots);
    }
    let slot = slots[method] ?? 0;
    if (slot === 0) {
      const labels =
        `method="${methods[method]}",path="${labelValue(match.pathLabel)}",` +
        `service="${labelValue(service)}"`;
      slot = series.slot(requestDuration.name, labels, durationWidth);
      slots[method] = slot;
    }
    let bucket = 0;
    while (bucket < durationBounds.length && seconds > (durationBounds[bucket] ?? 0)) bucket++;
    add(slot + bucket, 1);
    add(slot + durationWidth - 1, seconds);
  }

  return {
    connections: (delta) => add(connectionSlot, delta),
    bug(error) {
      add(bugSlot, 1);
      report(error);
    },
    rejected: (status) => count(unmatched, otherMethod, status, 0),
    exchange(exchange) {
      const { head } = exchange;
      const match = exchange.match?.target ?? unmatched;
      const method = methodIndex.get(head.method) ?? otherMethod;
      count(match, method, exchange.status, clientType(exchange));
      observe(match, method, exchange.service, (exchange.endedAt - exchange.startedAt) / 1000);
    },
  };
}

function clientType({ head }: Exchange): number {
  if (head.clientTypeAt < 0) return 0;
  const index = clientTypes.indexOf(head.parser.valueAt(head.clientTypeAt).toLowerCase());
  return index < 0 ? clientTypes.length - 1 : index;
}
