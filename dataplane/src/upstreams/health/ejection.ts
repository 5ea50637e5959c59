import { lockRow, type Row, unlockRow } from '../../state/shared-table.ts';
import {
  type EjectionReason,
  EndpointNumber,
  EndpointWord,
  ejectionReasons,
  OutOfService,
} from '../shared/endpoint-row.ts';
import { UpstreamWord } from '../shared/upstream-row.ts';
import type { EjectionSettings } from './ejection-settings.ts';

/** A word of the row of an endpoint. */
export function endpointWord({ words, at }: Row, word: number): number {
  return Atomics.load(words, at + word);
}

/**
 * Takes an endpoint out of service for a while, unless too many of its upstream are already.
 * @param all rows of the endpoints of the upstream.
 */
export function eject(
  endpoint: Row,
  reason: EjectionReason,
  all: readonly Row[],
  upstream: Row,
  { baseTime, maxTime, maxPercent }: EjectionSettings,
  now: number,
): boolean {
  lockRow(upstream);
  const ejected = all.filter(isEjected).length;
  const another = ejected === 0 || (ejected + 1) * 100 <= all.length * maxPercent;
  const does = another && !isEjected(endpoint);
  if (does) {
    const { words, numbers, at } = endpoint;
    const times = (words[at + EndpointWord.ejections] ?? 0) + 1;
    words[at + EndpointWord.ejections] = times;
    words[at + EndpointWord.reason] = ejectionReasons.indexOf(reason);
    numbers[(at + EndpointNumber.ejectedUntil) / 2] = now + Math.min(times * baseTime, maxTime);
    setFlag(endpoint, OutOfService.ejected, true, now);
    Atomics.add(upstream.words, upstream.at + UpstreamWord.version, 1);
  }
  unlockRow(upstream);
  return does;
}

export function isUnhealthy(row: Row): boolean {
  return (endpointWord(row, EndpointWord.flags) & OutOfService.unhealthy) !== 0;
}

export function isEjected(row: Row): boolean {
  return (endpointWord(row, EndpointWord.flags) & OutOfService.ejected) !== 0;
}

/** True when an ejected endpoint has been out for long enough. */
export function isServed(endpoint: Row, now: number): boolean {
  const until = endpoint.numbers[(endpoint.at + EndpointNumber.ejectedUntil) / 2] ?? 0;
  return isEjected(endpoint) && now >= until;
}

/** Puts an ejected endpoint back into service. */
export function readmit(endpoint: Row, upstream: Row, now: number) {
  lockRow(upstream);
  endpoint.words[endpoint.at + EndpointWord.errors] = 0;
  endpoint.words[endpoint.at + EndpointWord.gatewayErrors] = 0;
  setFlag(endpoint, OutOfService.ejected, false, now);
  Atomics.add(upstream.words, upstream.at + UpstreamWord.version, 1);
  unlockRow(upstream);
}

/** Writes down what active checks say of an endpoint. */
export function setUnhealthy(endpoint: Row, upstream: Row, unhealthy: boolean, now: number) {
  lockRow(upstream);
  setFlag(endpoint, OutOfService.unhealthy, unhealthy, now);
  Atomics.add(upstream.words, upstream.at + UpstreamWord.version, 1);
  unlockRow(upstream);
}

function setFlag({ words, numbers, at }: Row, flag: number, on: boolean, now: number) {
  numbers[(at + EndpointNumber.changedAt) / 2] = now;
  if (on) Atomics.or(words, at + EndpointWord.flags, flag);
  else Atomics.and(words, at + EndpointWord.flags, ~flag);
}
