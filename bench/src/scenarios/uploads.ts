import { nginxAnyBody, nginxBodies } from '../policies/nginx.ts';
import type { Entrant, Load, Scenario, Service, Site } from '../scenario.ts';

const kib = 1024;
const mib = 1024 * kib;

const site: Site = { routes: [{ name: 'files', prefix: '/files' }] };

const entrants: readonly Entrant[] = [
  { name: 'gatehouse', peer: 'gatehouse', site },
  { name: 'nginx', peer: 'nginx', site: { ...site, addition: nginxBodies } },
  { name: 'nginx-defaults', peer: 'nginx', site: { ...site, addition: nginxAnyBody } },
  { name: 'haproxy', peer: 'haproxy', site },
  { name: 'envoy', peer: 'envoy', site },
];

function bodies(
  name: string,
  summary: string,
  service: Service,
  load?: Pick<Load, 'method' | 'body'>,
): Scenario {
  return {
    name,
    group: 'uploads',
    summary: `${summary}, otherwise as plain.`,
    load: { connections: 64, paths: ['/files/42'], ...load },
    service,
    entrants,
    reference: 'nginx',
    bars: [{ kind: 'throughput', of: 'gatehouse', to: 'nginx', atLeast: 0.7 }],
  };
}

export const upload1m = bodies(
  'upload-1m',
  'Bodies of 1 MiB to the upstream, which answers when it has them',
  { kind: 'sink' },
  { method: 'POST', body: '0123456789abcdef'.repeat(mib / 16) },
);

export const download64k = bodies('download-64k', 'Answers of 64 KiB', {
  kind: 'file',
  bytes: 64 * kib,
});

export const download1m = bodies('download-1m', 'Answers of 1 MiB', { kind: 'file', bytes: mib });
