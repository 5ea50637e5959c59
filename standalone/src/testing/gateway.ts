import { join } from 'node:path';
import { optionsOf, run as runController, type Summary } from '@gatehouse/controller';
import { type DataPlane, parseOptions, run as runDataPlane } from '@gatehouse/dataplane';
import { pino } from 'pino';

const env = { GATEHOUSE_TOKEN: 'a-token-for-this-test-only' };
const log = pino({ level: 'silent' });
const local = ['--admin-port', '0', '--log-level', 'silent'];

export type TestController = {
  grpcPort: number;
  /** The last summary; undefined until there is one. */
  summary(): Summary | undefined;
  close(): Promise<void>;
};

/** A controller in this process that reads `folder` and leaves its CA in `state`. */
export async function startController(
  folder: string,
  state: string,
  flags: string[] = [],
): Promise<TestController> {
  let summary: Summary | undefined;
  const running = await runController(
    optionsOf(
      [...['--config-folder', folder, '--tls-ca-out', caOf(state)], ...local, ...flags],
      env,
    ),
    {
      log,
      onProblems: () => undefined,
      onSummary: (now) => {
        summary = now;
      },
    },
  );
  return { grpcPort: running.grpcPort, summary: () => summary, close: () => running.close() };
}

/** A data plane in this process, with its last known good config in `state`. */
export function startDataPlane(grpcPort: number, state: string): Promise<DataPlane> {
  const flags = [
    ...['--controller', `https://localhost:${grpcPort}`, '--ca-file', caOf(state)],
    ...['--host', '127.0.0.1', '--node', 'dp-1', '--drain-timeout-ms', '1000'],
    ...['--last-known-good', join(state, 'last-known-good')],
  ];
  return runDataPlane(parseOptions([...flags, ...local], env), log);
}

function caOf(state: string): string {
  return join(state, 'ca.pem');
}
