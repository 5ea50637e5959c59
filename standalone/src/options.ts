import { type ParseArgsConfig, parseArgs } from 'node:util';

export const usage = `Usage:
  gatehouse dev FOLDER [--http-port N] [--admin-port 9901] [--workers 1] [--data-planes 1]
      runs a gateway from the YAML files of a folder and follows their changes
  gatehouse check FOLDER
      validates the files; exit code 1 when there is a mistake`;

export type DevOptions = {
  folder: string;
  /** Replaces the port of the first HTTP listener; undefined: the ports of the Gateways. */
  httpPort: number | undefined;
  /** Admin port of the first data plane; the next ones count up, 0 takes free ones. */
  adminPort: number;
  /** Worker threads of each data plane. */
  workers: number;
  dataPlanes: number;
};

/** @throws Error with the flag and what it expects. */
export function parseDevOptions(args: string[]): DevOptions {
  const text = { type: 'string' } as const;
  const { values, positionals } = parsed({
    args,
    allowPositionals: true,
    options: { 'http-port': text, 'admin-port': text, workers: text, 'data-planes': text },
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
  };
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
