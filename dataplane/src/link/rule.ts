import type { Redirect, Respond, Rewrite, Rule, WeightedBackend } from '@gatehouse/snapshot';
import { prepareEdits } from '../http1/edits.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { createPicker } from '../upstreams/weighted.ts';
import { linkRetries } from './retries.ts';
import { templateParts } from './rewrite.ts';
import type {
  LinkedBackend,
  LinkedMirror,
  LinkedRule,
  PathRewrite,
  RespondAction,
} from './runtime.ts';

/** Finds an Upstream of the snapshot by name; reports the ones that are missing. */
export type FindUpstream = (name: string, path: string) => Upstream | undefined;

/** Is told what this release does not know. */
export type Refuse = (path: string, reason: string) => void;

/** Decides everything about a rule that can be decided before a request comes. */
export function linkRule(
  route: string,
  rule: Rule,
  at: string,
  find: FindUpstream,
  refuse: Refuse,
): LinkedRule {
  const timeouts = rule.timeouts;
  return {
    route,
    name: rule.name,
    action: linkAction(rule, at, find),
    rewrite: linkRewrite(rule.rewrite),
    mirrors: linkMirrors(rule, at, find),
    timeouts: {
      request: timeouts?.request ?? 0,
      backendRequest: timeouts?.backendRequest ?? 0,
      idle: timeouts?.idle ?? 0,
    },
    fallback: linkFallback(rule, `${at}.fallback`, find),
    retries:
      rule.retries &&
      linkRetries(rule.retries, (path, reason) => refuse(`${at}.retries.${path}`, reason)),
    upgrades: rule.upgrades.length > 0 ? rule.upgrades : undefined,
  };
}

function linkFallback(rule: Rule, at: string, find: FindUpstream): LinkedRule['fallback'] {
  const instead = rule.fallback?.instead;
  switch (instead?.case) {
    case 'backend':
      return { type: 'backend', backend: linkBackend(rule, instead.value, `${at}.backend`, find) };
    case 'respond':
      return linkRespond(rule, instead.value);
    default:
      return undefined;
  }
}

function linkRespond(rule: Rule, { status, body, headers }: Respond): RespondAction {
  const responseEdits = prepareEdits(rule.responseHeaders);
  return { type: 'respond', status, body: Buffer.from(body), headers, responseEdits };
}

function linkAction(rule: Rule, at: string, find: FindUpstream): LinkedRule['action'] {
  const { action } = rule;
  const responseEdits = prepareEdits(rule.responseHeaders);
  switch (action.case) {
    case 'forward': {
      const backends = action.value.backends.map((backend, index) => ({
        item: linkBackend(rule, backend, `${at}.forward.backends[${index}]`, find),
        weight: backend.weight,
      }));
      const [first, ...others] = backends.filter(({ weight }) => weight > 0);
      const only = others.length === 0 ? first?.item : undefined;
      return { type: 'forward', only, pick: createPicker(backends) };
    }
    case 'redirect': {
      const { status, scheme, host, port } = action.value;
      const rewrite = redirectRewrite(action.value);
      return { type: 'redirect', status, scheme, host, port, rewrite, responseEdits };
    }
    case 'respond':
      return linkRespond(rule, action.value);
    default:
      // A rule without an action is a newer controller's: refusing it is up to the caller.
      return { type: 'forward', only: undefined, pick: () => undefined };
  }
}

function linkBackend(
  rule: Rule,
  backend: WeightedBackend,
  at: string,
  find: FindUpstream,
): LinkedBackend {
  return {
    upstream: backend.upstream === '' ? undefined : find(backend.upstream, at),
    host: rule.rewrite?.host ?? '',
    requestEdits: prepareEdits(rule.requestHeaders, backend.requestHeaders),
    responseEdits: prepareEdits(backend.responseHeaders, rule.responseHeaders),
  };
}

function linkMirrors(rule: Rule, at: string, find: FindUpstream): LinkedMirror[] | undefined {
  const mirrors: LinkedMirror[] = [];
  for (const [index, { upstream: name, percent }] of rule.mirrors.entries()) {
    // An unresolved mirror is no reason to fail a request; its Route says so in its status.
    const upstream = name === '' ? undefined : find(name, `${at}.mirrors[${index}]`);
    if (upstream && percent > 0) mirrors.push({ upstream, percent });
  }
  return mirrors.length > 0 ? mirrors : undefined;
}

function linkRewrite(rewrite: Rewrite | undefined): PathRewrite | undefined {
  switch (rewrite?.path.case) {
    case 'stripPrefix':
      return { type: 'prefix', match: trimmed(rewrite.path.value), replacement: '' };
    case 'fullPath':
      return { type: 'full', parts: templateParts(rewrite.path.value) };
    case 'prefix':
      return prefixRewrite(rewrite.path.value);
    default:
      return undefined;
  }
}

function redirectRewrite(redirect: Redirect): PathRewrite | undefined {
  switch (redirect.path.case) {
    case 'fullPath':
      return { type: 'full', parts: [{ text: redirect.path.value }] };
    case 'prefix':
      return prefixRewrite(redirect.path.value);
    default:
      return undefined;
  }
}

function prefixRewrite({
  match,
  replacement,
}: {
  match: string;
  replacement: string;
}): PathRewrite {
  return { type: 'prefix', match: trimmed(match), replacement };
}

/** "/a/" and "/a" are the same prefix. */
function trimmed(prefix: string): string {
  return prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
}
