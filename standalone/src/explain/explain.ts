import { dropGuarded, Field, listenerFor, type RequestHead } from '@gatehouse/dataplane/explain';
import type { ExplainOptions } from '../options.ts';
import { explainedAction } from './action.ts';
import { explainedAnswer } from './answer.ts';
import type { Asked } from './asked.ts';
import { liveSnapshot } from './data-plane.ts';
import type { ExplainedRequest, Explanation } from './explanation.ts';
import { folderSnapshot } from './folder.ts';
import { readHead } from './head.ts';
import { type LinkedSnapshot, linkSnapshot } from './linked.ts';
import { explainedListener, portFor } from './listener.ts';
import { nearestRules } from './nearest.ts';
import { explainedPolicies } from './policies.ts';
import { recordedExchange } from './recording.ts';
import { explainedRoute } from './route.ts';
import { inputsOf } from './rules.ts';
import { textOf } from './text.ts';

/**
 * Prints what becomes of a request. Returns the exit code: 1 when no rule serves it, or when something
 * is wrong in the folder.
 * @throws Error when there is nothing to explain.
 */
export async function explain({ request, from, output }: ExplainOptions): Promise<number> {
  const snapshot =
    'folder' in from ? await folderSnapshot(from.folder) : await liveSnapshot(from.dataPlane);
  for (const mistake of snapshot.mistakes) process.stderr.write(`${mistake}\n`);
  const explanation = explanationOf(request, linkSnapshot(snapshot));
  for (const mistake of explanation.mistakes.slice(snapshot.mistakes.length)) {
    process.stderr.write(`${mistake}\n`);
  }
  const text =
    output === 'json' ? `${JSON.stringify(explanation, null, 2)}\n` : textOf(explanation);
  process.stdout.write(text);
  return explanation.route && explanation.mistakes.length === 0 ? 0 : 1;
}

/** Sends a request through the code of a data plane, up to its action. */
export function explanationOf(request: Asked, snapshot: LinkedSnapshot): Explanation {
  const { runtime, source, mistakes } = snapshot;
  const { port, note } = portFor(runtime.ports, request);
  const nothing = { listener: null, route: null, nearest: [], policies: [], action: null };
  const ends = { notes: note === undefined ? [] : [note], mistakes };
  const head = readHead(request);
  if ('status' in head) {
    const answer = { ...head, by: 'gateway' as const, unless: [] };
    return { source, request: refusedRequest(request), ...nothing, answer, ...ends };
  }
  const listener = listenerFor(port, head.host);
  if (listener?.guarded) dropGuarded(listener.guarded, head.message, head.codes);
  const recorded = recordedExchange(head, request, listener);
  const { exchange } = recorded;
  const common = {
    source,
    request: explainedRequest(request, head, exchange.clientAddress),
    listener: listener ? explainedListener(port, listener) : null,
  };
  const winner = listener && explainedRoute(inputsOf(runtime, listener.name), head);
  if (!winner) {
    const served = port.listeners.map((one) => {
      return { listener: one, inputs: inputsOf(runtime, one.name) };
    });
    const nearest = nearestRules(head, served, listener);
    return { ...nothing, ...common, nearest, answer: explainedAnswer([], null), ...ends };
  }
  const { found, route } = winner;
  exchange.match = found;
  const at = { listener: listener.name, route: route.route, rule: route.rule };
  const policies = explainedPolicies(snapshot, at, exchange);
  const action = explainedAction(snapshot, recorded);
  const answer = explainedAnswer(policies, action);
  return { ...common, route, nearest: [], policies, action, answer, ...ends };
}

function explainedRequest(
  { method, url, scheme }: Asked,
  head: RequestHead,
  clientAddress: string,
): ExplainedRequest {
  const { host, path, query, message, codes } = head;
  const droppedHeaders: string[] = [];
  for (let i = 0; i < message.fieldCount; i++) {
    if (codes[i] === Field.guarded) droppedHeaders.push(message.nameAt(i));
  }
  return { method, url, scheme, host, path, query, clientAddress, droppedHeaders };
}

/** What could not be read is told as it was given. */
function refusedRequest({ method, url, scheme, target, clientAddress }: Asked): ExplainedRequest {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? '' : target.slice(mark + 1);
  return { method, url, scheme, host: '', path, query, clientAddress, droppedHeaders: [] };
}
