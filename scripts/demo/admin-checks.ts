import { isDeepStrictEqual } from 'node:util';
import { type Answer, callOnce } from './call.ts';
import { holds, jsonOf } from './judge.ts';
import type { Report } from './report.ts';
import { portOf, type Target } from './target.ts';

type Endpoint = { address: string; port: number };

/** What /metrics must hold once the shop has been asked. */
const families = [
  /^gateway_requests_total\{method="GET",path="\/api\/users\/\*?",status="200",client_type="unknown"\} [1-9]/m,
  /^gateway_request_duration_bucket\{method="\w+",path="[^"]+",service="[^"]+",le="0\.0005"\} \d/m,
  /^gateway_request_duration_sum\{method="\w+",path="[^"]+",service="[^"]+"\} \d/m,
  /^gateway_request_duration_count\{method="\w+",path="[^"]+",service="[^"]+"\} [1-9]/m,
  /^gateway_active_connections \d/m,
  /^process_cpu_seconds_total \d/m,
  /^process_resident_memory_bytes [1-9]/m,
  /^process_start_time_seconds [1-9]/m,
];

/** Of so many connections each data plane gets one, but for one time in 2^50. */
const mostCalls = 50;

/** The admin port of the first data plane of the shop. */
export async function checkAdmin(report: Report, target: Target, adminPort: number) {
  const admin = { ...target, http: adminPort };
  const expect = (request: string, status: number, body: unknown) =>
    report.check(`admin: ${request}`, async () => {
      const answer = await callOnce(admin, { request });
      const found = jsonOf(answer.text);
      if (answer.status === status && holds(found, body)) return [];
      return [`expected ${status} ${JSON.stringify(body)}, found ${shown(answer)}`];
    });
  await expect('GET /health', 200, { status: 'ok' });
  await expect('GET /ready', 200, { status: 'ready' });
  const services = ['orders', 'orders-next', 'products', 'recommendations'];
  await report.check('admin: GET /services', async () => {
    const answer = await callOnce(admin, { request: 'GET /services' });
    const { services: found = [] } = (jsonOf(answer.text) ?? {}) as {
      services?: { name: string; endpoints: number }[];
    };
    const missing = services.filter((name) => !found.some((one) => one.name === name));
    return missing.map((name) => `expected a service "${name}", found ${shown(answer)}`);
  });
  await report.check('admin: GET /services/products/endpoints', async () => {
    const answer = await callOnce(admin, { request: 'GET /services/products/endpoints' });
    const { endpoints = [] } = (jsonOf(answer.text) ?? {}) as { endpoints?: Endpoint[] };
    const found = endpoints.map(({ address, port }) => `${address}:${port}`).sort();
    const expected = [4003, 4004].map((port) => `127.0.0.1:${portOf(target, port)}`).sort();
    return isDeepStrictEqual(found, expected)
      ? []
      : [`expected ${expected}, found ${shown(answer)}`];
  });
  await expect('GET /services/nobody/endpoints', 404, {});
  await report.check('admin: GET /config', async () => {
    const answer = await callOnce(admin, { request: 'GET /config' });
    const { routes = [] } = (jsonOf(answer.text) ?? {}) as { routes?: { name: string }[] };
    const found = routes.map(({ name }) => name);
    const expected = ['orders', 'products', 'recommendations', 'site', 'users'];
    if (holds(found, expected.map(inNamespace))) return [];
    return [`expected the routes ${expected}, found ${shown(answer)}`];
  });
  await expect('POST /config/reload', 200, {});
  await report.check('admin: GET /metrics', async () => {
    let missing = families;
    let text = '';
    // Another data plane may have served what came so far.
    for (let i = 0; i < mostCalls && missing.length > 0; i++) {
      await callOnce(target, { request: 'GET /api/users/1' });
      ({ text } = await callOnce(admin, { request: 'GET /metrics' }));
      missing = families.filter((family) => !family.test(text));
    }
    return missing.map((family) => `expected ${family}, found:\n${text}`);
  });
}

/** The keys of the certificates must not be shown. */
export async function checkRedaction(report: Report, target: Target, adminPort: number) {
  await report.check('admin: GET /config hides secrets', async () => {
    const admin = { ...target, http: adminPort };
    const answer = await callOnce(admin, { request: 'GET /config' });
    const { secrets } = (jsonOf(answer.text) ?? {}) as { secrets?: unknown[] };
    const count = target.authorities.length;
    if (secrets?.length !== count) return [`expected secrets: ${count}, found ${shown(answer)}`];
    const leaks = /PRIVATE KEY|LS0tLS1|MIGHAgEA/.test(answer.text);
    return leaks ? [`expected no key, found ${shown(answer)}`] : [];
  });
}

function inNamespace(name: string): string {
  return `default/${name}`;
}

function shown({ status, text }: Answer): string {
  return `${status} ${text.length > 2000 ? `${text.slice(0, 2000)}...` : text}`;
}
