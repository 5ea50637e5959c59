import type { Match } from '@gatehouse/snapshot';
import type { Candidate } from './candidate.ts';
import { type Conditions, compileConditions, type Report } from './conditions.ts';
import { compilePath, everyPath } from './path-condition.ts';
import type { Problem, RouteInput, RuleInput } from './route-input.ts';

/** What was made of one route, whatever the others are. */
export type CompiledRoute<T> = {
  /** '' stands for any host. */
  readonly hostnames: readonly string[];
  readonly candidates: readonly Candidate<T>[];
  readonly problems: readonly Problem[];
};

const none: Conditions = { methods: [], headers: [], query: [] };

/** A hostname or "*." and one. Addresses are hosts too. */
const hostnamePattern = /^(?:\*\.)?[^*\s/?#@.][^*\s/?#@]*$/;

export function compileRoute<T>(route: RouteInput<T>): CompiledRoute<T> {
  const problems: Problem[] = [];
  const report: Report = (path, reason) => problems.push({ route: route.name, path, reason });
  const hostnames = new Set<string>();
  for (const [index, hostname] of route.hostnames.entries()) {
    if (hostnamePattern.test(hostname)) hostnames.add(hostname.toLowerCase());
    else
      report(`hostnames[${index}]`, `"${hostname}" is neither a hostname nor "*." and a hostname`);
  }
  if (route.hostnames.length === 0) hostnames.add('');
  const candidates = route.rules.flatMap((rule, index) =>
    compileRule(route, rule, (path, reason) => report(`rules[${index}]${path}`, reason)),
  );
  return { hostnames: [...hostnames], candidates, problems };
}

function compileRule<T>(route: RouteInput<T>, rule: RuleInput<T>, report: Report): Candidate<T>[] {
  const shared = {
    target: rule.target,
    route: route.name,
    rule: rule.name,
    created: route.created,
  };
  if (rule.matches.length === 0) {
    return [{ ...shared, position: 0, path: everyPath, conditions: none, conditional: false }];
  }
  const candidates: Candidate<T>[] = [];
  for (const [position, match] of rule.matches.entries()) {
    let sound = true;
    const reportMatch: Report = (field, reason) => {
      sound = false;
      report(`.matches[${position}].${field}`, reason);
    };
    const path = match.path === undefined ? everyPath : compilePath(match.path);
    if (typeof path === 'string') reportMatch('path', path);
    const conditions = compileConditions(match, reportMatch);
    if (!sound || typeof path === 'string') continue;
    candidates.push({ ...shared, position, path, conditions, conditional: isConditional(match) });
  }
  return candidates;
}

function isConditional({ methods, headers, query }: Match): boolean {
  return methods.length + headers.length + query.length > 0;
}
