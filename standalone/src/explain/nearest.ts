import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  createRouter,
  hostnameFor,
  type LinkedListener,
  type RequestHead,
} from '@gatehouse/dataplane/explain';
import { MatchSchema } from '@gatehouse/snapshot';
import type { NearRule } from './explanation.ts';
import {
  explainedMatch,
  explainedRule,
  fittingIn,
  type Inputs,
  matchOf,
  type Place,
  valueText,
} from './rules.ts';

const mostListed = 3;

/** A listener with what its router is made of. */
export type Served = { listener: LinkedListener; inputs: Inputs };

type MatchInit = MessageInitShape<typeof MatchSchema>;

/** Ways in which a request may miss, the nearest first; each leaves out some of what rules ask for. */
const leniences: readonly ((inputs: Inputs) => Inputs)[] = [
  (inputs) => inputs,
  withoutConditions,
  withoutHostnames,
  (inputs) => withoutHostnames(withoutConditions(inputs)),
];

/**
 * Rules that a request nearly fits: the router finds them among what is left of the rules; after these
 * come those whose path begins alike.
 * @param own the listener that took the request; undefined when none did.
 * @param all listeners of the port.
 */
export function nearestRules(
  head: RequestHead,
  all: readonly Served[],
  own: LinkedListener | undefined,
): NearRule[] {
  const inTurn = [...all].sort((a, b) => Number(b.listener === own) - Number(a.listener === own));
  const found = new Map<string, NearRule>();
  const add = (served: Served, place: Place) => {
    const key = `${place.route}/${place.rule}`;
    if (found.size >= mostListed || found.has(key)) return;
    found.set(key, nearRule(served, place, head, own));
  };
  for (const lenience of leniences) {
    for (const served of inTurn) {
      for (const candidate of fittingIn(lenience(served.inputs), head, mostListed)) {
        add(served, candidate);
      }
    }
  }
  for (const { served, place } of likePaths(inTurn, head)) add(served, place);
  return [...found.values()];
}

function withoutConditions(inputs: Inputs): Inputs {
  return inputs.map((route) => ({
    ...route,
    rules: route.rules.map((rule) => ({
      ...rule,
      matches: rule.matches.map((match) => matchFrom(match.path ? { path: match.path } : {})),
    })),
  }));
}

function withoutHostnames(inputs: Inputs): Inputs {
  return inputs.map((route) => ({ ...route, hostnames: [] }));
}

function matchFrom(init: MatchInit) {
  return create(MatchSchema, init);
}

function nearRule(
  { listener, inputs }: Served,
  place: Place,
  head: RequestHead,
  own: LinkedListener | undefined,
): NearRule {
  const rule = explainedRule(inputs, place, head.host);
  const { hostnames = [] } = inputs.find(({ name }) => name === place.route) ?? {};
  const differs = differences(inputs, place, head);
  if (hostnameFor(hostnames, head.host) === undefined) {
    differs.unshift(`host: ${hostnames.join(' or ')}, not ${head.host}`);
  }
  if (listener !== own) {
    differs.unshift(`listener: ${listener.name}, for ${listener.hostname || 'any host'}`);
  }
  return { ...rule, listener: listener.name, differs };
}

/** What of a match does not hold, each part asked for by itself. */
function differences(inputs: Inputs, place: Place, head: RequestHead): string[] {
  const match = matchOf(inputs, place);
  if (!match) return [];
  const { path, methods, headers, query } = match;
  const texts = explainedMatch(match);
  const differs: string[] = [];
  if (path && !fits({ path }, head)) {
    differs.push(`path: ${texts.path?.type} ${texts.path?.value}, not ${head.path}`);
  }
  if (!fits({ methods }, head)) differs.push(`method: ${methods.join(' or ')}, not ${head.method}`);
  for (const [index, condition] of headers.entries()) {
    if (fits({ headers: [condition] }, head)) continue;
    const sent = head.header(condition.name.toLowerCase());
    differs.push(`header: ${textAt(texts.headers, index)}, ${sentText(sent)}`);
  }
  for (const [index, condition] of query.entries()) {
    if (fits({ query: [condition] }, head)) continue;
    const sent = new URLSearchParams(head.query).get(condition.name) ?? undefined;
    differs.push(`query: ${textAt(texts.query, index)}, ${sentText(sent)}`);
  }
  return differs;
}

function textAt(values: Parameters<typeof valueText>[0][], index: number): string {
  const value = values[index];
  return value ? valueText(value) : '';
}

function sentText(value: string | undefined): string {
  return value === undefined ? 'not sent' : `not "${value}"`;
}

function fits(match: MatchInit, head: RequestHead): boolean {
  const rules = [{ name: '', matches: [matchFrom(match)], target: undefined }];
  const { router } = createRouter([{ name: '', created: 0, hostnames: [], rules }]);
  return router.match(head) !== undefined;
}

/** Rules with more of the path in common than its "/", the most first. */
function likePaths(inTurn: readonly Served[], head: RequestHead) {
  const all = inTurn.flatMap((served) =>
    served.inputs.flatMap(({ name: route, rules }) =>
      rules.map(({ name: rule, matches: [match], target }) => {
        const value = match?.path?.value ?? '';
        const common = commonLength(value, head.path);
        const rest = Math.abs(value.length - head.path.length);
        return { served, place: { route, rule, target }, common, rest };
      }),
    ),
  );
  return all
    .filter(({ common }) => common > 1)
    .sort((a, b) => b.common - a.common || a.rest - b.rest);
}

function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}
