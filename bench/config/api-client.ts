import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';

/** Writes to the API server what kubectl would, without starting a process for each. */
export type ApiClient = {
  /** Server-side apply, as `kubectl apply --server-side` does it. */
  apply(path: string, object: object): Promise<void>;
  /** RFC 6902. */
  patch(path: string, operations: object[]): Promise<void>;
  get<T>(path: string): Promise<T>;
  /** Events of a watch as they come, until closed. */
  watch(path: string, onEvent: (event: unknown) => void): { close(): void };
  close(): void;
};

type Config = {
  clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }];
  users: [{ user: { 'client-certificate-data': string; 'client-key-data': string } }];
};

/** @param kubeconfig a file of e2e/cluster, which is JSON. */
export async function apiClient(kubeconfig: string): Promise<ApiClient> {
  const { clusters, users } = JSON.parse(await readFile(kubeconfig, 'utf8')) as Config;
  const [{ cluster }] = clusters;
  const [{ user }] = users;
  const decoded = (base64: string) => Buffer.from(base64, 'base64');
  const agent = new Agent({
    keepAlive: true,
    maxFreeSockets: 64,
    ca: decoded(cluster['certificate-authority-data']),
    cert: decoded(user['client-certificate-data']),
    key: decoded(user['client-key-data']),
  });

  function send(method: string, path: string, type?: string, body?: object) {
    return new Promise<IncomingMessage>((resolve, reject) => {
      const headers = {
        accept: 'application/json',
        'user-agent': 'bench',
        ...(type && { 'content-type': type }),
      };
      const outgoing = request(cluster.server + path, { method, agent, headers }, resolve);
      outgoing.on('error', reject);
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  async function answer(method: string, path: string, type?: string, body?: object) {
    const response = await send(method, path, type, body);
    const said = await text(response);
    const { statusCode = 0 } = response;
    if (statusCode < 300) return said;
    throw new Error(`Cannot ${method} ${path}: ${statusCode}: ${said.slice(0, 300)}`);
  }

  return {
    async apply(path, object) {
      const query = '?fieldManager=bench&force=true';
      await answer('PATCH', path + query, 'application/apply-patch+yaml', object);
    },
    async patch(path, operations) {
      await answer('PATCH', path, 'application/json-patch+json', operations);
    },
    get: async <T>(path: string) => JSON.parse(await answer('GET', path)) as T,
    watch(path, onEvent) {
      let closed = false;
      let response: IncomingMessage | undefined;
      const follow = async () => {
        response = await send('GET', `${path}${path.includes('?') ? '&' : '?'}watch=1`);
        response.setEncoding('utf8');
        let rest = '';
        for await (const chunk of response as AsyncIterable<string>) {
          const lines = (rest + chunk).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) onEvent(JSON.parse(line));
        }
      };
      follow().catch((error: unknown) => {
        if (!closed) throw error;
      });
      return {
        close() {
          closed = true;
          response?.destroy();
        },
      };
    },
    close: () => agent.destroy(),
  };
}
