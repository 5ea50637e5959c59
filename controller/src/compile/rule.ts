import type { MessageInitShape } from '@bufbuild/protobuf';
import { defaults, type Rule } from '@gatehouse/crds';
import type { HeaderEditsSchema, RespondSchema, RuleSchema } from '@gatehouse/snapshot';
import { milliseconds } from './durations.ts';
import { compileHeaderEdits } from './header-edits.ts';
import { type CompiledMatch, compileMatch } from './match.ts';
import { type Ref, refOf } from './refs.ts';
import { compileRespond } from './respond.ts';
import { compileRetries } from './retries.ts';
import { checkVariables, compileRedirect, compileRewrite, groupByPrefix } from './rewrite.ts';
import type { Report } from './status.ts';

/** A Rule as plain data, without the default values of its message. */
export type RuleInit = Extract<MessageInitShape<typeof RuleSchema>, { $typeName?: never }>;
type EditsInit = MessageInitShape<typeof HeaderEditsSchema>;

type Edited = { requestHeaders?: EditsInit; responseHeaders?: EditsInit };
type CheckedBackend = Edited & { ref: Ref; weight: number };

/** A rule of which only the names of its upstreams are open. */
export type CheckedRule = {
  /** One message, or one for each prefix that a rewrite or redirect works on. */
  messages: RuleInit[];
  /** Undefined: the action is in the messages. */
  backends: CheckedBackend[] | undefined;
  mirrors: { ref: Ref; percent: number }[];
  fallback: CheckedFallback | undefined;
};

/** What answers when the backend is not asked: another backend, or the message of a response. */
export type CheckedFallback = { ref: Ref } | { respond: MessageInitShape<typeof RespondSchema> };

/** Checks what the schema cannot say; with any report the result must not be used. */
export function checkRule(
  rule: Rule,
  namespace: string,
  path: string,
  report: Report,
): CheckedRule {
  const from = { kind: 'Route', namespace } as const;
  const matches = (rule.matches ?? []).map((match, i) =>
    compileMatch(match, `${path}.matches[${i}]`, report),
  );
  checkVariables(rule.rewrite, matches, path, report);
  if (rule.redirect?.host?.startsWith('*')) {
    report(`${path}.redirect.host`, 'must not be a wildcard');
  }
  if (!rule.backends && !rule.redirect && !rule.respond) {
    report(path, 'exactly one of backends, redirect and respond must be given');
  }
  const timeouts = compileTimeouts(rule.timeouts ?? {}, `${path}.timeouts`, report);
  const shared: RuleInit = {
    name: rule.name,
    ...compileEdits(rule, path, report),
    timeouts,
    ...(rule.retries
      ? { retries: compileRetries(rule.retries, timeouts.request ?? 0, `${path}.retries`, report) }
      : {}),
  };
  const upgrades = compileUpgrades(rule.upgrades ?? [], `${path}.upgrades`, report);
  if (upgrades.length > 0) shared.upgrades = upgrades;
  const respond = rule.respond && compileRespond(rule.respond, `${path}.respond`, report);
  return {
    messages: groupByPrefix(rule, matches, path, report).map((group) => ({
      ...shared,
      ...compileGroup(rule, group),
      ...(respond ? { action: { case: 'respond' as const, value: respond } } : {}),
    })),
    backends: rule.backends?.map((backend, i) => ({
      ref: refOf(backend, from, `${path}.backends[${i}]`),
      weight: backend.weight ?? defaults.backendWeight,
      ...compileEdits(backend, `${path}.backends[${i}]`, report),
    })),
    mirrors: (rule.mirrors ?? []).map((mirror, i) => ({
      ref: refOf(mirror, from, `${path}.mirrors[${i}]`),
      percent: mirror.percent ?? defaults.mirrorPercent,
    })),
    fallback: rule.fallback && checkFallback(rule.fallback, from, `${path}.fallback`, report),
  };
}

/** Another version of HTTP in a tunnel would pass by routes and policies; TLS would hide them. */
const hidden = /^(?:h2c?|http|tls)(?:\/|$)/;

function compileUpgrades(names: readonly string[], path: string, report: Report): string[] {
  for (const [i, name] of names.entries()) {
    if (hidden.test(name)) {
      report(`${path}[${i}]`, `"${name}" would carry requests past routes and policies; remove it`);
    }
    if (names.indexOf(name) < i) report(`${path}[${i}]`, `"${name}" is given twice`);
  }
  return [...names];
}

function checkFallback(
  { backend, respond }: NonNullable<Rule['fallback']>,
  from: Parameters<typeof refOf>[1],
  path: string,
  report: Report,
): CheckedFallback | undefined {
  if (backend) return { ref: refOf(backend, from, `${path}.backend`) };
  if (respond) return { respond: compileRespond(respond, `${path}.respond`, report) };
  report(path, 'exactly one of backend and respond must be given');
  return undefined;
}

function compileGroup(
  { rewrite, redirect }: Rule,
  { prefix, matches }: { prefix: string; matches: CompiledMatch[] },
): RuleInit {
  const rewritten = rewrite && compileRewrite(rewrite, prefix);
  return {
    matches: matches.map(({ message }) => message),
    ...(rewritten ? { rewrite: rewritten } : {}),
    ...(redirect
      ? { action: { case: 'redirect' as const, value: compileRedirect(redirect, prefix) } }
      : {}),
  };
}

function compileEdits(
  { requestHeaders, responseHeaders }: Pick<Rule, 'requestHeaders' | 'responseHeaders'>,
  path: string,
  report: Report,
): Edited {
  const edits = (value: NonNullable<typeof requestHeaders>, field: string) =>
    compileHeaderEdits(value, `${path}.${field}`, report);
  return {
    ...(requestHeaders ? { requestHeaders: edits(requestHeaders, 'requestHeaders') } : {}),
    ...(responseHeaders ? { responseHeaders: edits(responseHeaders, 'responseHeaders') } : {}),
  };
}

/**
 * The default of backendRequest gives way to a shorter request. It does so when written out as well:
 * the API server fills defaults in, so the two cannot be told apart.
 */
function compileTimeouts(
  timeouts: NonNullable<Rule['timeouts']>,
  path: string,
  report: Report,
): NonNullable<RuleInit['timeouts']> {
  const {
    request: requestText = defaults.requestTimeout,
    backendRequest: backendText = defaults.backendRequestTimeout,
    idle = defaults.idleTimeout,
  } = timeouts;
  const request = milliseconds(requestText, `${path}.request`, report);
  let backendRequest = milliseconds(backendText, `${path}.backendRequest`, report);
  if (request > 0 && backendRequest > request) {
    if (backendText !== defaults.backendRequestTimeout) {
      report(`${path}.backendRequest`, 'must not be longer than request (GEP-1742)');
    }
    backendRequest = request;
  }
  return { request, backendRequest, idle: milliseconds(idle, `${path}.idle`, report) };
}
