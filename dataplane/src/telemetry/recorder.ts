import type { Exchange } from '../exchange/exchange.ts';
import { grpcStatusNames } from '../http2/grpc-status.ts';
import { createMatchSeries } from '../link/match-series.ts';
import type { LinkedMatch, MatchSeries } from '../link/runtime.ts';
import { labelValue } from '../state/label-value.ts';
import {
  activeConnections,
  durationBounds,
  durationWidth,
  grpcResponses,
  internalErrors,
  openHandshakes,
  openTunnels,
  requestDuration,
  requestsTotal,
  tlsHandshakeFailures,
  tlsHandshakes,
} from './families.ts';
import type { Series } from './series.ts';

/** Counts what happens on a thread. `exchange` is called once for each exchange, at its end. */
export type Recorder = {
  connections(delta: 1 | -1): void;
  tunnels(delta: 1 | -1): void;
  /** TLS handshakes that are under way. */
  handshaking(delta: 1 | -1): void;
  /** One that led to a connection. */
  handshake(version: string, resumed: boolean): void;
  /** One that did not. */
  handshakeFailed(reason: string): void;
  /** A request that was refused before it became an exchange. */
  rejected(status: number): void;
  exchange(exchange: Exchange): void;
  /** Something threw that should not have. */
  bug(error: unknown): void;
};

type Counted = Pick<LinkedMatch, 'pathLabel' | 'series'>;

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
  const tunnelSlot = series.slot(openTunnels.name, '');
  const handshakeSlot = series.slot(openHandshakes.name, '');
  const bugSlot = series.slot(internalErrors.name, '');
  /** Slots of calls of gRPC by match, service and status. */
  const calls = new WeakMap<MatchSeries, Map<string, number[]>>();
  const unmatched: Counted = { pathLabel: 'unmatched', series: createMatchSeries() };

  function add(slot: number, amount: number) {
    values[slot] = (values[slot] ?? 0) + amount;
  }

  function counterOf({ pathLabel, series: known }: Counted, key: number) {
    let slot = known.counters.get(key);
    if (slot === undefined) {
      const rest = Math.floor(key / clientTypes.length);
      const labels =
        `method="${methods[rest % methods.length]}",path="${labelValue(pathLabel)}",` +
        `status="${Math.floor(rest / methods.length)}",` +
        `client_type="${clientTypes[key % clientTypes.length]}"`;
      slot = series.slot(requestsTotal.name, labels);
      known.counters.set(key, slot);
    }
    known.lastKey = key;
    known.lastCounter = slot;
    return slot;
  }

  function count(match: Counted, method: number, status: number, client: number) {
    const key = (status * methods.length + method) * clientTypes.length + client;
    const { lastKey, lastCounter } = match.series;
    add(lastKey === key ? lastCounter : counterOf(match, key), 1);
  }

  function histogramOf({ pathLabel, series: known }: Counted, method: number, service: string) {
    let slots = known.histograms.get(service);
    if (!slots) {
      slots = methods.map(() => 0);
      known.histograms.set(service, slots);
    }
    let slot = slots[method] ?? 0;
    if (slot === 0) {
      const labels =
        `method="${methods[method]}",path="${labelValue(pathLabel)}",` +
        `service="${labelValue(service)}"`;
      slot = series.slot(requestDuration.name, labels, durationWidth);
      slots[method] = slot;
    }
    known.lastMethod = method;
    known.lastService = service;
    known.lastHistogram = slot;
    return slot;
  }

  function observe(match: Counted, method: number, service: string, seconds: number) {
    const { lastMethod, lastService, lastHistogram } = match.series;
    const known = lastMethod === method && lastService === service;
    const slot = known ? lastHistogram : histogramOf(match, method, service);
    let bucket = 0;
    while (bucket < durationBounds.length && seconds > (durationBounds[bucket] ?? 0)) bucket++;
    add(slot + bucket, 1);
    add(slot + durationWidth - 1, seconds);
  }

  function callSlot({ pathLabel, series: known }: Counted, service: string, status: number) {
    let services = calls.get(known);
    if (!services) {
      services = new Map();
      calls.set(known, services);
    }
    let slots = services.get(service);
    if (!slots) {
      slots = [];
      services.set(service, slots);
    }
    // Without a status comes last.
    const index = status < 0 ? grpcStatusNames.length : status;
    let slot = slots[index];
    if (slot === undefined) {
      const labels =
        `path="${labelValue(pathLabel)}",service="${labelValue(service)}",` +
        `grpc_status="${grpcStatusNames[status] ?? 'none'}"`;
      slot = series.slot(grpcResponses.name, labels);
      slots[index] = slot;
    }
    return slot;
  }

  return {
    connections: (delta) => add(connectionSlot, delta),
    tunnels: (delta) => add(tunnelSlot, delta),
    handshaking: (delta) => add(handshakeSlot, delta),
    handshake(version, resumed) {
      add(series.slot(tlsHandshakes.name, `version="${version}",resumed="${resumed}"`), 1);
    },
    handshakeFailed(reason) {
      add(series.slot(tlsHandshakeFailures.name, `reason="${reason}"`), 1);
    },
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
      if (exchange.grpc) add(callSlot(match, exchange.service, exchange.grpcStatus), 1);
      // How long a tunnel was open is no time that somebody waited for an answer.
      if (exchange.tunnel) return;
      observe(match, method, exchange.service, (exchange.endedAt - exchange.startedAt) / 1000);
    },
  };
}

function clientType({ head }: Exchange): number {
  if (head.clientTypeAt < 0) return 0;
  const index = clientTypes.indexOf(head.message.valueAt(head.clientTypeAt).toLowerCase());
  return index < 0 ? clientTypes.length - 1 : index;
}
