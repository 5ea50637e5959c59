import { fromBinary } from '@bufbuild/protobuf';
import { answerRedirect, type Exchange, rewrittenTarget } from '@gatehouse/dataplane/explain';
import {
  EndpointsSchema,
  type Forward,
  Kind,
  keyOf,
  RouteSchema,
  type Rule,
} from '@gatehouse/snapshot';
import type { ExplainedAction, ExplainedBackend } from './explanation.ts';
import type { LinkedSnapshot } from './linked.ts';
import type { Recorded } from './recording.ts';
import { explainedUpstream } from './upstream.ts';

/** What the rule of an exchange does with the request, policies aside. */
export function explainedAction(
  snapshot: LinkedSnapshot,
  recorded: Recorded,
): ExplainedAction | null {
  const { exchange, replies } = recorded;
  const linked = exchange.rule;
  const rule = linked && ruleOf(snapshot, linked.route, linked.name);
  if (!linked || !rule) return null;
  if (linked.action.type === 'redirect') {
    answerRedirect(exchange, linked.action);
    const reply = replies.pop();
    const location = /^location: (.*)\r$/m.exec(reply?.fields ?? '')?.[1] ?? '';
    return { type: 'redirect', status: linked.action.status, location };
  }
  if (linked.action.type === 'respond') {
    const { status, body } = linked.action;
    return { type: 'respond', status, body: body.toString() };
  }
  const forward = rule.action.case === 'forward' ? rule.action.value : undefined;
  return {
    type: 'forward',
    target: rewrittenTarget(exchange, linked.rewrite),
    host: hostOf(exchange, rule),
    backends: forward ? backendsOf(snapshot, forward) : [],
    mirrors: rule.mirrors.map(({ upstream, percent }) => {
      return { upstream: upstreamText(upstream), percent };
    }),
    timeouts: linked.timeouts,
  };
}

function ruleOf({ config }: LinkedSnapshot, route: string, name: string): Rule | undefined {
  const resource = config.get(keyOf(Kind.ROUTE, route));
  const { rules } = resource ? fromBinary(RouteSchema, resource.body) : { rules: [] };
  return rules.find((rule) => rule.name === name);
}

function hostOf({ head }: Exchange, { rewrite }: Rule): string {
  return rewrite?.host || head.authority;
}

function backendsOf(snapshot: LinkedSnapshot, { backends }: Forward): ExplainedBackend[] {
  const { endpoints, unknown } = snapshot;
  const total = backends.reduce((sum, { weight }) => sum + weight, 0);
  return backends.map(({ upstream, weight }) => {
    const key = keyOf(Kind.ENDPOINTS, upstream);
    const resource = endpoints.get(key);
    const list = resource ? fromBinary(EndpointsSchema, resource.body).endpoints : [];
    return {
      upstream: upstreamText(upstream),
      share: total === 0 ? 0 : Math.round((weight / total) * 1000) / 10,
      discovered: unknown?.has(key) ?? false,
      endpoints: list.map(({ address, port, weight: own, zone }) => {
        return { address, port, weight: own, zone };
      }),
      settings: explainedUpstream(snapshot, upstream),
    };
  });
}

/** "service/shop/orders/80" as people name it. */
function upstreamText(name: string): string {
  const [kind, namespace, object, port] = name.split('/');
  if (kind === 'service') return `Service ${namespace}/${object} port ${port}`;
  return kind === 'upstream' ? `Upstream ${namespace}/${object}` : name;
}
