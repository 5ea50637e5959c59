import type { ExplainedAction, ExplainedBackend } from './explanation.ts';
import { inline, table } from './table.ts';
import { upstreamLines } from './upstream-text.ts';

/** So many endpoints of a backend are shown. */
const mostEndpoints = 5;

/** What the rule does with the request. */
export function actionLines(action: ExplainedAction | null): string[] {
  if (!action) return ['none'];
  if (action.type === 'redirect') return [`redirect ${action.status} to ${action.location}`];
  if (action.type === 'respond')
    return [`respond ${action.status} ${inline(action.body)}`.trimEnd()];
  const { target, host, backends, mirrors, timeouts } = action;
  const limits = [
    ['request', timeouts.request],
    ['backendRequest', timeouts.backendRequest],
    ['idle', timeouts.idle],
  ] as const;
  const limited = limits.filter(([, limit]) => limit > 0);
  return [
    `forward ${target}, Host ${host}`,
    ...backendLines(backends),
    ...mirrors.map(({ upstream, percent }) => {
      return `a copy of ${percent} % to ${upstream || 'a reference that leads nowhere'}`;
    }),
    ...(limited.length > 0
      ? [`timeouts ${limited.map(([name, limit]) => `${name} ${limit} ms`).join(', ')}`]
      : []),
  ];
}

/** Each backend with its endpoints, and below it how they are talked to. */
function backendLines(backends: readonly ExplainedBackend[]): string[] {
  const rows = table(
    backends.map((backend) => [
      `${backend.share} %`.padStart(6),
      backend.upstream || 'a reference that leads nowhere',
      endpointsText(backend),
    ]),
  );
  return rows.flatMap((row, index) => {
    const settings = backends[index]?.settings;
    const below = settings ? upstreamLines(settings) : [];
    return [row, ...below.map((line) => `        ${line}`)];
  });
}

function endpointsText({ upstream, endpoints, discovered }: ExplainedBackend): string {
  if (upstream === '') return 'answers 500 Backend not resolved';
  if (discovered) return 'endpoints that Consul or DNS tell while a gateway runs';
  if (endpoints.length === 0) return 'no endpoint: answers 503 Service unavailable';
  const texts = endpoints.slice(0, mostEndpoints).map(({ address, port, zone }) => {
    const host = address.includes(':') ? `[${address}]` : address;
    return `${host}:${port}${zone === '' ? '' : ` (${zone})`}`;
  });
  const more = endpoints.length - texts.length;
  return [...texts, ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}
