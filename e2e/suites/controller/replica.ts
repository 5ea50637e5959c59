import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bareDataPlane } from '../../../controller/src/push/testing/bare-data-plane.ts';

const main = join(import.meta.dirname, '../../../controller/src/main.ts');

export interface Replica {
  name: string;
  grpcPort: number;
  adminPort: number;
  /** PEM. */
  ca: string;
  child: ChildProcess;
  /** Lines of its log. */
  log: string[];
  /** Resident memory, in MiB. */
  memory(): Promise<number>;
  /** CPU time used so far, in seconds. */
  cpu(): Promise<number>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface ReplicaSettings {
  kubeconfig: string;
  folder: string;
  /** Added to the command line. */
  args?: string[];
  /** What `--tls-cert` in `args` is signed by, PEM; left out: the replica makes a certificate. */
  ca?: string;
  /** Added to the environment. */
  environment?: Record<string, string>;
}

/** A controller as a process of its own. */
export async function startReplica(name: string, settings: ReplicaSettings): Promise<Replica> {
  const { kubeconfig, folder, args = [], ca, environment } = settings;
  const caFile = join(folder, `${name}.pem`);
  const flags = [
    ...['--kubernetes', '--kubeconfig', kubeconfig, '--pod-name', name],
    ...['--namespace', 'gatehouse-system'],
    ...['--data-plane-service-account', 'gatehouse-system/data-plane'],
    ...['--grpc-port', '0', '--admin-port', '0'],
    ...(ca === undefined ? ['--tls-ca-out', caFile] : []),
    ...args,
  ];
  const env = { ...process.env, ...environment };
  const child = fork(main, flags, { stdio: ['ignore', 'inherit', 'pipe', 'ipc'], env });
  const log: string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log.push(...text.split('\n').filter((line) => line !== ''));
  });
  const exited = once(child, 'exit');
  const ports = await new Promise<{ grpcPort: number; adminPort: number }>((resolve, reject) => {
    child.on('message', (message: { type: string; grpcPort: number; adminPort: number }) => {
      if (message.type === 'listening') resolve(message);
    });
    void exited.then(() => reject(new Error(`The controller ended: ${log.join('\n')}`)));
  });
  const proc = async (file: string) => await readFile(`/proc/${child.pid}/${file}`, 'utf8');
  return {
    name,
    ...ports,
    ca: ca ?? (await readFile(caFile, 'utf8')),
    child,
    log,
    memory: async () => Number(/VmRSS:\s+(\d+)/.exec(await proc('status'))?.[1]) / 1024,
    async cpu() {
      const fields = (await proc('stat')).split(') ')[1]?.split(' ') ?? [];
      return (Number(fields[11]) + Number(fields[12])) / 100;
    },
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await exited;
    },
  };
}

export interface DataPlane {
  /** Whether it answers what it is sent from now on. */
  answers: boolean;
  /** Answers what it left unanswered. */
  catchUp(): void;
  /** Updates so far. */
  updates: number;
  /** Why the stream ended. */
  end(): Promise<Error | undefined>;
  close(): void;
}

/** A data plane that acknowledges everything, or nothing, and serves nothing. */
export function connect(replica: Replica, node: string, token: string): DataPlane {
  const plane = bareDataPlane({ port: replica.grpcPort, ca: replica.ca }, token);
  plane.send({ case: 'hello', value: { node, zone: 'z', release: '1' } });
  const unanswered: (() => void)[] = [];
  const self: DataPlane = {
    answers: true,
    updates: 0,
    catchUp() {
      self.answers = true;
      for (const answer of unanswered.splice(0)) answer();
    },
    end: () => plane.end(),
    close: () => plane.close(),
  };
  const follow = async () => {
    for (;;) {
      const { lane, version } = await plane.next();
      self.updates++;
      const answer = () => plane.send({ case: 'ack', value: { lane, version } });
      if (self.answers) answer();
      else unanswered.push(answer);
    }
  };
  // However it ends, `end` tells.
  follow().catch(() => undefined);
  return self;
}
