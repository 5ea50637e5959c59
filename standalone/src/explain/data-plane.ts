import { create, type DescMessage, fromJson, type JsonValue } from '@bufbuild/protobuf';
import {
  EndpointsSchema,
  type Key,
  Kind,
  keyOf,
  ListenerSchema,
  PolicySchema,
  type Resource,
  RouteSchema,
  resourceOf,
  SecretSchema,
  UpstreamSchema,
} from '@gatehouse/snapshot';
import type { ExplainedSnapshot } from './snapshot.ts';

/** Milliseconds for the whole answer of an admin port. */
const timeout = 10_000;

type Item = { name: string; spec: JsonValue };

const lists = {
  listeners: [Kind.LISTENER, ListenerSchema],
  routes: [Kind.ROUTE, RouteSchema],
  upstreams: [Kind.UPSTREAM, UpstreamSchema],
  policies: [Kind.POLICY, PolicySchema],
} as const;

/**
 * The snapshot that a data plane uses now, from GET /config of its admin port.
 * @throws Error when it does not answer, or not with a view that this release understands.
 */
export async function liveSnapshot(url: string): Promise<ExplainedSnapshot> {
  const cannot = (reason: string) => new Error(`Cannot read the config of "${url}": ${reason}`);
  const view = await fetchView(url).catch((error: unknown) => {
    throw cannot(reasonOf(error));
  });
  const config = new Map<Key, Resource>();
  const endpoints = new Map<Key, Resource>();
  const put = <D extends DescMessage>(into: typeof config, kind: Kind, schema: D, list: string) => {
    for (const { name, spec } of itemsOf(view, list)) {
      into.set(keyOf(kind, name), resourceOf(kind, name, schema, fromJson(schema, spec)));
    }
  };
  try {
    for (const [list, [kind, schema]] of Object.entries(lists)) put(config, kind, schema, list);
    put(endpoints, Kind.ENDPOINTS, EndpointsSchema, 'endpoints');
    const empty = create(SecretSchema, {});
    for (const { name } of itemsOf(view, 'secrets')) {
      config.set(keyOf(Kind.SECRET, name), resourceOf(Kind.SECRET, name, SecretSchema, empty));
    }
  } catch (error) {
    throw cannot(`it shows what this release does not know: ${reasonOf(error)}`);
  }
  const version = String(view.version);
  return {
    source: { dataPlane: url, version },
    config,
    endpoints,
    mistakes: [],
    redacted: true,
  };
}

async function fetchView(url: string): Promise<Record<string, unknown>> {
  const signal = AbortSignal.timeout(timeout);
  const response = await fetch(new URL('/config', url), { signal, redirect: 'error' });
  if (!response.ok) throw new Error(`GET /config answers ${response.status}`);
  const view: unknown = await response.json();
  if (typeof view === 'object' && view !== null && 'listeners' in view) {
    return view as Record<string, unknown>;
  }
  throw new Error('GET /config shows no listeners: is it the admin port of a data plane?');
}

/** @throws Error when the list is not what a data plane of this release shows. */
function itemsOf(view: Record<string, unknown>, list: string): Item[] {
  const items = view[list];
  if (!Array.isArray(items)) throw new Error(`there is no list "${list}"`);
  return items.map((item: Partial<Item>) => {
    if (typeof item.name === 'string' && item.spec !== undefined) {
      return { name: item.name, spec: item.spec };
    }
    throw new Error(`an entry of "${list}" has no name and spec`);
  });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `it does not answer within ${timeout / 1000} s`;
  // What fetch throws says no more than "fetch failed"; its cause says why.
  const { cause } = error as { cause?: NodeJS.ErrnoException };
  if (cause?.code === 'ECONNREFUSED') return 'nobody listens there';
  return cause?.message || error.message;
}
