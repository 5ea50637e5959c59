import { type RequestHead, variablesOf, whyFirst } from '@gatehouse/dataplane/explain';
import type { ExplainedRoute, ExplainedRule } from './explanation.ts';
import { explainedRule, type Found, fittingIn, type Inputs } from './rules.ts';

/** So many of the rules that fit too are listed. */
const mostOthers = 3;

/** The rule that serves a request, and those that fit it too. Undefined: none fits. */
export function explainedRoute(
  inputs: Inputs,
  head: RequestHead,
): { found: Found; route: ExplainedRoute } | undefined {
  const fitting = fittingIn(inputs, head, mostOthers + 1);
  const [winner] = fitting;
  if (!winner) return undefined;
  const rules = fitting.map((found) => explainedRule(inputs, found, head.host));
  const before: ExplainedRoute['before'] = [];
  for (const [index, rule] of rules.entries()) {
    const ahead = rules[index - 1];
    if (ahead) before.push({ ...rule, because: because([ahead, rule], fitting.slice(index - 1)) });
  }
  const variables = Object.fromEntries(variablesOf(winner, head.path) ?? []);
  return {
    found: winner,
    route: { ...explainedRule(inputs, winner, head.host), variables, before },
  };
}

function because(
  [first, second]: [ExplainedRule, ExplainedRule],
  [a, b]: readonly Found[],
): string {
  const why =
    a &&
    b &&
    whyFirst(
      { candidate: a, hostname: first.hostname },
      { candidate: b, hostname: second.hostname },
    );
  const { headers, query } = first.match;
  switch (why?.by) {
    case 'hostname':
      return `hostname ${first.hostname} is more specific than ${second.hostname || 'any host'}`;
    case 'path':
      return pathReason(first, second);
    case 'method':
      return 'it names methods, the other takes any';
    case 'headers':
      return `it asks for ${headers.length} headers, the other for ${second.match.headers.length}`;
    case 'query':
      return `it asks for ${query.length} query parameters, the other for ${second.match.query.length}`;
    case 'age':
      return 'its Route is older';
    case 'route':
      return `all else is equal: ${first.route} sorts before ${second.route}`;
    case 'rule':
      return `all else is equal: rule ${first.rule} sorts before ${second.rule}`;
    default:
      return 'all else is equal: it stands first in its rule';
  }
}

function pathReason(first: ExplainedRule, second: ExplainedRule): string {
  const [a, b] = [first.match.path, second.match.path];
  if (a?.type === 'Regex') return 'its regular expression is longer';
  if (b?.type === 'Regex') return 'regular expressions come last';
  const text = (path: typeof a) => (path === null ? 'every path' : `${path.type} ${path.value}`);
  return `${text(a)} is more specific than ${text(b)}`;
}
