import { isIP } from 'node:net';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { type Asked, asked } from './explain/asked.ts';

export const usage = `Usage:
  gatehouse dev FOLDER [--http-port N] [--admin-port 9901] [--workers 1] [--data-planes 1]
                       [--access-log FILE] [--log-level warn]
      runs a gateway from the YAML files of a folder and follows their changes
  gatehouse check FOLDER
      validates the files; exit code 1 when there is a mistake
  gatehouse explain METHOD URL [-H 'name: value']... --config FOLDER | --data-plane URL
                    [--client-address 127.0.0.1] [-o text|json]
      tells which rule and which policies a request meets, and where it goes;
      exit code 1 when no rule serves it or there is a mistake`;

export type DevOptions = {
  folder: string;
  /** Replaces the port of the first HTTP listener; undefined: the ports of the Gateways. */
  httpPort: number | undefined;
  /** Admin port of the first data plane; the next ones count up, 0 takes free ones. */
  adminPort: number;
  /** Worker threads of each data plane. */
  workers: number;
  dataPlanes: number;
  /** A file that all data planes write a line a request to; undefined: none. */
  accessLog: string | undefined;
  /** Of the data planes, as they take it; from info on they tell why policies refuse requests. */
  logLevel: string;
};

/** @throws Error with the flag and what it expects. */
export function parseDevOptions(args: string[]): DevOptions {
  const text = { type: 'string' } as const;
  const { values, positionals } = parsed({
    args,
    allowPositionals: true,
    options: {
      'http-port': text,
      'admin-port': text,
      workers: text,
      'data-planes': text,
      'access-log': text,
      'log-level': text,
    },
  });
  const [folder, ...more] = positionals;
  if (folder === undefined || more.length > 0) throw new Error(usage);
  const number = (flag: keyof typeof values, fallback: number, least: number, most: number) => {
    const value = values[flag] === undefined ? fallback : Number(values[flag]);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new Error(`Cannot use --${flag} "${values[flag]}": expected ${least} to ${most}`);
  };
  return {
    folder,
    httpPort: values['http-port'] === undefined ? undefined : number('http-port', 0, 1, 65535),
    adminPort: number('admin-port', 9901, 0, 65535),
    workers: number('workers', 1, 1, 64),
    dataPlanes: number('data-planes', 1, 1, 16),
    accessLog: values['access-log'],
    logLevel: values['log-level'] ?? 'warn',
  };
}

export type ExplainOptions = {
  request: Asked;
  /** The files of a folder, or what a data plane uses now: the URL of its admin port. */
  from: { folder: string } | { dataPlane: string };
  output: 'text' | 'json';
};

/** @throws Error with the flag and what it expects. */
export function parseExplainOptions(args: string[]): ExplainOptions {
  const text = { type: 'string' } as const;
  const { values, positionals } = parsed({
    args,
    allowPositionals: true,
    options: {
      header: { ...text, short: 'H', multiple: true },
      config: text,
      'data-plane': text,
      'client-address': text,
      output: { ...text, short: 'o' },
    },
  });
  const [method, url, ...more] = positionals;
  if (method === undefined || url === undefined || more.length > 0) throw new Error(usage);
  const { header: headers = [], config: folder, 'data-plane': dataPlane } = values;
  const { 'client-address': clientAddress = '127.0.0.1', output = 'text' } = values;
  if ((folder === undefined) === (dataPlane === undefined)) {
    throw new Error(`Cannot explain: expected either --config or --data-plane\n${usage}`);
  }
  if (dataPlane !== undefined && !/^https?:$/.test(URL.parse(dataPlane)?.protocol ?? '')) {
    throw new Error(
      `Cannot use --data-plane "${dataPlane}": expected a URL such as http://127.0.0.1:9901`,
    );
  }
  if (isIP(clientAddress) === 0) {
    throw new Error(`Cannot use --client-address "${clientAddress}": expected an IP address`);
  }
  if (output !== 'text' && output !== 'json') {
    throw new Error(`Cannot use --output "${output}": expected text or json`);
  }
  const from = folder === undefined ? { dataPlane: dataPlane ?? '' } : { folder };
  return { request: asked(method, url, headers, clientAddress), from, output };
}

function parsed<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    // Its first sentence names the flag, the rest is about escaping.
    const reason = error instanceof Error ? error.message.split('. ')[0] : String(error);
    throw new Error(`${reason}\n${usage}`);
  }
}
