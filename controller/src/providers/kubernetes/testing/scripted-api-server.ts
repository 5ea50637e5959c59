import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { type ApiServer, apiServerOf } from '../api-server.ts';

export type Raw = {
  metadata: {
    name: string;
    namespace?: string;
    resourceVersion?: string;
    uid?: string;
    generation?: number;
    [field: string]: unknown;
  };
  [field: string]: unknown;
};
/** What happens to a request instead of its answer. */
export type Fault =
  | { status: number; message?: string; retryAfter?: number }
  /** The connection is cut, so many bytes into the answer. */
  | { cutAfter: number };
export interface Seen {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
}
type Event = { type: string; collection: string; object: Raw; version: number };
type Watcher = { response: ServerResponse; path: Address; query: URLSearchParams };
interface Address {
  collection: string;
  namespace: string | undefined;
  name: string | undefined;
  status: boolean;
}

/**
 * An HTTP server that speaks the list, watch and write protocol of Kubernetes about a few objects, and
 * fails as it is told. Versions, pages, bookmarks, 409 and 410 are as the API server has them.
 */
export class ScriptedApiServer {
  readonly seen: Seen[] = [];
  /** Decides the fate of a request; undefined: it is served. */
  fault: (request: Seen) => Fault | undefined = () => undefined;
  /** Answers what is created without a name and not kept, as TokenReviews are. */
  review: (body: unknown) => object = () => ({});
  /** What else there is to read, by path: discovery. */
  readonly documents = new Map<string, object>();
  /** Objects in one page, however many are asked for. */
  pageSize = 500;
  readonly #installed = new Set<string>();
  readonly #objects = new Map<string, Raw>();
  readonly #events: Event[] = [];
  readonly #pages = new Map<string, { items: Raw[]; version: number; compactions: number }>();
  readonly #watchers = new Set<Watcher>();
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  #version = 100;
  #compacted = 0;
  #compactions = 0;

  /** @param collections e.g. "api/v1/services" */
  constructor(...collections: string[]) {
    for (const one of collections) this.install(one);
  }

  install(collection: string): void {
    this.#installed.add(collection);
  }

  /** The client as the controller makes it. */
  async listen(): Promise<ApiServer> {
    return apiServerOf(await this.kubeconfig());
  }

  async kubeconfig(): Promise<KubeConfig> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    const config = new KubeConfig();
    const server = `http://127.0.0.1:${port}`;
    config.loadFromClusterAndUser(
      { name: 'scripted', server, skipTLSVerify: true },
      { name: 'user', token: 'the-token' },
    );
    return config;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  put(collection: string, object: Raw): Raw {
    const { namespace, name } = object.metadata;
    const key = keyOf(collection, namespace, name);
    const before = this.#objects.get(key);
    const version = ++this.#version;
    const stored = {
      ...object,
      metadata: {
        uid: `uid-${version}`,
        generation: 1,
        ...before?.metadata,
        ...object.metadata,
        resourceVersion: String(version),
      },
    };
    this.#objects.set(key, stored);
    this.#tell({ type: before ? 'MODIFIED' : 'ADDED', collection, object: stored, version });
    return stored;
  }

  remove(collection: string, name: string, namespace?: string): void {
    const key = keyOf(collection, namespace, name);
    const before = this.#objects.get(key);
    if (!before) return;
    this.#objects.delete(key);
    const version = ++this.#version;
    const metadata = { ...before.metadata, resourceVersion: String(version) };
    this.#tell({ type: 'DELETED', collection, object: { ...before, metadata }, version });
  }

  get(collection: string, name: string, namespace?: string): Raw | undefined {
    return this.#objects.get(keyOf(collection, namespace, name));
  }

  list(collection: string): Raw[] {
    return [...this.#objects].filter(([key]) => key.startsWith(`${collection}|`)).map(([, o]) => o);
  }

  bookmark(): void {
    for (const { response } of this.#watchers) {
      const metadata = { resourceVersion: String(this.#version) };
      write(response, { type: 'BOOKMARK', object: { metadata } });
    }
  }

  /** Forgets what happened: older watches and pages get 410. */
  compact(): void {
    this.#compacted = this.#version;
    this.#compactions++;
    this.#events.length = 0;
  }

  /** Ends every watch: in order, or in the middle of a line. */
  cut(inOrder: boolean): void {
    for (const { response } of this.#watchers) {
      if (inOrder) response.end();
      else response.write('{"type":"ADD', () => response.destroy());
    }
    this.#watchers.clear();
  }

  get watches(): number {
    return this.#watchers.size;
  }

  #tell(event: Event): void {
    this.#events.push(event);
    for (const watcher of this.#watchers) {
      if (concerns(watcher, event)) write(watcher.response, event);
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const url = new URL(request.url ?? '/', 'http://server');
    const text = Buffer.concat(chunks).toString();
    const seen = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
    };
    this.seen.push(seen);
    const fault = this.fault(seen);
    if (fault && 'status' in fault) return failure(response, fault);
    const document = this.documents.get(url.pathname);
    if (document) {
      response.end(JSON.stringify(document));
      return;
    }
    const address = addressOf(url.pathname);
    if (!this.#installed.has(address.collection)) {
      return failure(response, { status: 404, message: 'the server could not find the resource' });
    }
    if (url.searchParams.get('watch') === '1') return this.#watch(seen, address, response);
    const merges = request.headers['content-type'] === 'application/merge-patch+json';
    const answer = merges ? this.#merge(seen, address) : this.#answer(seen, address);
    if ('status' in answer && typeof answer.status === 'number') {
      return failure(response, answer as { status: number });
    }
    const body = JSON.stringify(answer);
    response.writeHead(200, { 'content-length': Buffer.byteLength(body) });
    if (!fault) response.end(body);
    else response.write(body.slice(0, fault.cutAfter), () => response.destroy());
  }

  #answer(seen: Seen, address: Address): object {
    if (seen.method !== 'GET') return this.#write(seen, address);
    return address.name ? this.#object(address) : this.#page(seen, address);
  }

  #object({ collection, name = '', namespace }: Address): object {
    const object = this.#objects.get(keyOf(collection, namespace, name));
    return object ?? { status: 404, message: 'not found' };
  }

  #page({ query }: Seen, address: Address): object {
    const token = query.get('continue') ?? '';
    const pinned = this.#pages.get(token);
    if (token !== '' && pinned?.compactions !== this.#compactions) {
      return { status: 410, message: 'the continue token is too old' };
    }
    const from = Number(token.split('/')[1] ?? 0);
    const items =
      pinned?.items ??
      this.list(address.collection).filter((object) =>
        concerns({ path: address, query }, { collection: address.collection, object }),
      );
    const version = pinned?.version ?? this.#version;
    const limit = query.has('limit') ? Math.min(this.pageSize, Number(query.get('limit'))) : 1e6;
    const next = from + limit < items.length ? `${this.seen.length}/${from + limit}` : '';
    if (next) this.#pages.set(next, { items, version, compactions: this.#compactions });
    return {
      metadata: { resourceVersion: String(version), continue: next },
      items: items.length > 0 ? items.slice(from, from + limit) : null,
    };
  }

  #watch({ query }: Seen, path: Address, response: ServerResponse): void {
    const from = Number(query.get('resourceVersion'));
    if (from < this.#compacted && from % 2 === 0) {
      failure(response, { status: 410, message: 'too old' });
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    if (from < this.#compacted) {
      write(response, { type: 'ERROR', object: { kind: 'Status', code: 410, message: 'too old' } });
      response.end();
      return;
    }
    const watcher = { response, path, query };
    for (const event of this.#events) {
      if (event.version > from && concerns(watcher, event)) write(response, event);
    }
    this.#watchers.add(watcher);
    response.once('close', () => this.#watchers.delete(watcher));
  }

  /** RFC 7396, as far as fields of metadata and of the object go. */
  #merge({ body }: Seen, { collection, namespace, name = '' }: Address): object {
    const before = this.get(collection, name, namespace);
    if (!before) return { status: 404, message: 'not found' };
    const { metadata, ...given } = body as Partial<Raw>;
    const version = metadata?.resourceVersion;
    if (version !== undefined && version !== before.metadata.resourceVersion) {
      return { status: 409, message: 'the object has been modified' };
    }
    const fields = Object.entries(given).map(([field, value]) => [
      field,
      { ...(before[field] as object | undefined), ...(value as object) },
    ]);
    return this.put(collection, { ...before, ...Object.fromEntries(fields) });
  }

  #write({ method, body }: Seen, address: Address): object {
    const { collection, namespace, name = nameOf(body), status } = address;
    if (name === '') return this.review(body);
    const before = this.get(collection, name, namespace);
    if (method === 'POST') {
      if (before) return { status: 409, message: 'already exists' };
      return this.put(collection, withNamespace(body as Raw, namespace));
    }
    // Server-side apply creates objects, but no statuses.
    if (!before && method === 'PATCH' && !status) return this.put(collection, body as Raw);
    if (!before) return { status: 404, message: 'not found' };
    if (method === 'DELETE') {
      this.remove(collection, name, namespace);
      return { kind: 'Status' };
    }
    const given = body as Raw;
    const { resourceVersion, uid } = given.metadata;
    if (method === 'PUT' && resourceVersion === undefined) {
      return { status: 422, message: 'metadata.resourceVersion must be specified for an update' };
    }
    const stale =
      resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion;
    if (stale || (uid !== undefined && uid !== before.metadata.uid)) {
      return { status: 409, message: 'the object has been modified' };
    }
    return this.put(collection, status ? { ...before, status: given.status } : given);
  }
}

function keyOf(collection: string, namespace: string | undefined, name: string): string {
  return `${collection}|${namespace ?? ''}|${name}`;
}

function nameOf(body: unknown): string {
  return (body as Partial<Raw> | undefined)?.metadata?.name ?? '';
}

function withNamespace(object: Raw, namespace: string | undefined): Raw {
  return namespace === undefined
    ? object
    : { ...object, metadata: { ...object.metadata, namespace } };
}

/** "/apis/g/v/namespaces/ns/plural/name/status", most of it optional. */
function addressOf(path: string): Address {
  const parts = path.split('/').slice(1);
  const root = parts.splice(0, parts[0] === 'api' ? 2 : 3).join('/');
  const namespace = parts[0] === 'namespaces' && parts.length > 2 ? parts[1] : undefined;
  if (namespace !== undefined) parts.splice(0, 2);
  const [plural = '', name, sub] = parts;
  return { collection: `${root}/${plural}`, namespace, name, status: sub === 'status' };
}

function concerns(
  { path, query }: { path: Address; query: URLSearchParams },
  { collection, object }: { collection: string; object: Raw },
): boolean {
  const { name, namespace } = object.metadata;
  const named = query.get('fieldSelector')?.split('=')[1];
  const [label, value] = query.get('labelSelector')?.split('=') ?? [];
  const labels = object.metadata.labels as Record<string, string> | undefined;
  return (
    collection === path.collection &&
    (path.namespace === undefined || path.namespace === namespace) &&
    (named === undefined || named === name) &&
    (label === undefined || labels?.[label] === value)
  );
}

function write(response: ServerResponse, { type, object }: { type: string; object: unknown }) {
  response.write(`${JSON.stringify({ type, object })}\n`);
}

function failure(
  response: ServerResponse,
  { status, message = '', retryAfter }: { status: number; message?: string; retryAfter?: number },
): void {
  const wait = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
  response.writeHead(status, { 'content-type': 'application/json', ...wait });
  response.end(JSON.stringify({ kind: 'Status', code: status, message }));
}
