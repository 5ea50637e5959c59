import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe } from 'vitest';
import { consulProgram, missingConsul } from './consul-program.ts';

/** A Consul agent of its own on free ports of 127.0.0.1, which keeps everything in memory. */
export type TestConsul = {
  port: number;
  /** "http://127.0.0.1:<port>" */
  address: string;
  /** Calls its HTTP API. @throws Error when it does not answer with 200 */
  call(method: Method, path: string, body?: object): Promise<unknown>;
  /** Registers an instance at the agent. */
  register(service: { Name: string; Port?: number } & Record<string, unknown>): Promise<unknown>;
  deregister(id: string): Promise<unknown>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Starts it anew on the same port: it has forgotten everything, and its index is a small one again. */
  restart(): Promise<void>;
  close(): Promise<void>;
};

type Method = 'GET' | 'PUT' | 'DELETE';

export type ConsulOptions = {
  /** Configuration, HCL. */
  hcl?: string;
  /** For `call`. */
  token?: string;
};

/** Tests that need a real Consul; without one the run says what to do, and goes without them. */
export const describeConsul = describe.skipIf(missingConsul() !== undefined);

const attempts = 3;

export async function startConsul({ hcl = '', token }: ConsulOptions = {}): Promise<TestConsul> {
  const { child: first, ports } = await firstStart(hcl);
  let child = first;
  const address = `http://127.0.0.1:${ports.http}`;

  async function kill() {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async function call(method: Method, path: string, body?: object) {
    const response = await fetch(`${address}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: { connection: 'close', ...(token === undefined ? {} : { 'x-consul-token': token }) },
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`Cannot ${method} "${path}": ${response.status} ${text}`);
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  }

  return {
    port: ports.http,
    address,
    call,
    register: (service) =>
      call('PUT', '/v1/agent/service/register', {
        ID: `${service.Name}-${service.Port}`,
        ...service,
      }),
    deregister: (id) => call('PUT', `/v1/agent/service/deregister/${id}`),
    kill,
    async restart() {
      await kill();
      child = await launch(ports, hcl);
    },
    close: kill,
  };
}

type Ports = Record<'http' | 'dns' | 'serf_lan' | 'serf_wan' | 'server', number>;

/** Somebody else may take a free port before Consul does: then others are tried. */
async function firstStart(hcl: string) {
  for (let attempt = 1; ; attempt++) {
    const ports = await freePorts();
    try {
      return { ports, child: await launch(ports, hcl) };
    } catch (error) {
      if (attempt === attempts) throw error;
    }
  }
}

async function launch(ports: Ports, hcl: string): Promise<ChildProcess> {
  const lines = Object.entries({ ...ports, https: -1, grpc: -1, grpc_tls: -1 });
  const config = [
    `ports { ${lines.map(([name, port]) => `${name} = ${port}`).join('\n')} }`,
    'disable_update_check = true',
    'disable_anonymous_signature = true',
    hcl,
  ];
  const words = [
    'agent',
    '-dev',
    '-bind',
    '127.0.0.1',
    '-client',
    '127.0.0.1',
    '-log-level',
    'info',
  ];
  const child = spawn(consulProgram(), [...words, ...config.flatMap((text) => ['-hcl', text])], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  endWithUs(child);
  await new Promise<void>((resolve, reject) => {
    let text = '';
    const read = (chunk: Buffer) => {
      text += chunk;
      if (text.includes('Synced node info')) resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => reject(new Error(`consul ended with ${code}: ${text}`)));
  });
  return child;
}

/** Ends a program with this process, however that ends: its end of a pipe is closed then. */
function endWithUs(program: ChildProcess) {
  const watcher = spawn('sh', ['-c', 'cat; kill -9 "$0"', String(program.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watcher.unref();
  program.once('exit', () => watcher.kill('SIGKILL'));
}

/** Below the range that systems hand out by themselves: no connection takes one while the agent is away. */
async function freePorts(): Promise<Ports> {
  const names = ['http', 'dns', 'serf_lan', 'serf_wan', 'server'] as const;
  const ports: Partial<Ports> = {};
  for (const name of names) ports[name] = await freePort(Object.values(ports));
  return ports as Ports;
}

async function freePort(taken: readonly number[]): Promise<number> {
  for (;;) {
    const port = randomInt(12_000, 32_000);
    if (!taken.includes(port) && (await isFree(port))) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      probe.close(() => resolve(true));
    });
  });
}
