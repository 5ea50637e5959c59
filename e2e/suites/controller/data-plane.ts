import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { request } from '../../src/request.ts';

const main = join(import.meta.dirname, '../../../dataplane/src/main.ts');

/** A data plane that serves, as a process of its own. */
export interface ServingDataPlane {
  name: string;
  child: ChildProcess;
  /** Lines of its log. */
  log: string[];
  stop(): Promise<void>;
}

export interface DataPlaneSettings {
  name: string;
  grpcPort: number;
  /** File with the authority of the controllers, PEM. */
  caFile: string;
  token: string;
  folder: string;
  environment?: Record<string, string>;
}

/** Resolves as soon as it runs; it may have nothing to serve yet. */
export async function startDataPlane(settings: DataPlaneSettings): Promise<ServingDataPlane> {
  const { name, grpcPort, caFile, token, folder, environment } = settings;
  const tokenFile = join(folder, `${name}.token`);
  await writeFile(tokenFile, token, { mode: 0o600 });
  const flags = [
    ...['--controller', `https://127.0.0.1:${grpcPort}`, '--ca-file', caFile],
    ...['--token-file', tokenFile, '--node', name, '--host', '127.0.0.1', '--admin-port', '0'],
  ];
  const env = { ...process.env, ...environment };
  const child = fork(main, flags, { stdio: ['ignore', 'inherit', 'pipe', 'ipc'], env });
  const log: string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log.push(...text.split('\n').filter((line) => line !== ''));
  });
  const exited = once(child, 'exit');
  await Promise.race([
    once(child, 'message'),
    exited.then(() => {
      throw new Error(`The data plane ended: ${log.join('\n')}`);
    }),
  ]);
  return {
    name,
    child,
    log,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
    },
  };
}

/** What it answers for a URL at the port of a listener: the body, or the status when that is not 200. */
export async function answerOf(url: string, port: number): Promise<string> {
  const { status, body } = await request(url, port);
  return status === 200 ? body : String(status);
}
