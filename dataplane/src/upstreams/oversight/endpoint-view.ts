import type { Row } from '../../state/shared-table.ts';
import { endpointWord } from '../health/ejection.ts';
import {
  EndpointNumber,
  EndpointWord,
  ejectionReasons,
  OutOfService,
} from '../shared/endpoint-row.ts';
import { seconds } from './breaker-view.ts';
import type { CheckView } from './health-check.ts';

export type EndpointState = 'in service' | 'ejected' | 'unhealthy';

/** What GET /services/{name}/endpoints shows of an endpoint that is checked or may be ejected. */
export type EndpointView = {
  state: EndpointState;
  /** Why it was ejected, and when it is back. */
  reason?: string;
  backInSeconds?: number;
  /** What active checks found. */
  check?: CheckView;
};

export function stateOf(row: Row): EndpointState {
  const flags = endpointWord(row, EndpointWord.flags);
  if ((flags & OutOfService.unhealthy) !== 0) return 'unhealthy';
  return (flags & OutOfService.ejected) === 0 ? 'in service' : 'ejected';
}

export function endpointView(row: Row, check: CheckView | undefined, now: number): EndpointView {
  const until = row.numbers[(row.at + EndpointNumber.ejectedUntil) / 2] ?? 0;
  const ejected = (endpointWord(row, EndpointWord.flags) & OutOfService.ejected) !== 0;
  const reason = ejectionReasons[endpointWord(row, EndpointWord.reason)] ?? '';
  return {
    state: stateOf(row),
    ...(ejected ? { reason, backInSeconds: seconds(Math.max(0, until - now)) } : {}),
    ...(check ? { check } : {}),
  };
}
