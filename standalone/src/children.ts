import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Summary } from '@gatehouse/controller';

/** A message that a child sends over its channel. */
export type ChildMessage =
  | { type: 'listening'; grpcPort?: number; adminPort: number; ports?: number[] }
  | { type: 'ready'; ports: number[]; refused?: string }
  | ({ type: 'status' } & Summary);

export type Child = {
  process: ChildProcess;
  /** The first message of that type; rejects when the child exits before it. */
  message<T extends ChildMessage['type']>(type: T): Promise<Extract<ChildMessage, { type: T }>>;
  exited: Promise<number>;
};

/** Program of a role: its bundle beside ours, or its source in a checkout. */
function programOf(role: 'controller' | 'dataplane'): string {
  const bundle = fileURLToPath(new URL(`./${role}.mjs`, import.meta.url));
  if (existsSync(bundle)) return bundle;
  return fileURLToPath(new URL(`../../${role}/src/main.ts`, import.meta.url));
}

/** Starts a role as a process of its own; it ends when the channel to us closes. */
export function startChild(
  role: 'controller' | 'dataplane',
  args: string[],
  env: Record<string, string>,
): Child {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', programOf(role), ...args],
    {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, ...env },
      // Ctrl-C reaches us alone: we stop the children in order.
      detached: true,
    },
  );
  const received: ChildMessage[] = [];
  const exited = new Promise<number>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? (signal ? 1 : 0)));
  });
  child.on('message', (message: ChildMessage) => received.push(message));
  return {
    process: child,
    exited,
    message<T extends ChildMessage['type']>(type: T) {
      type Wanted = Extract<ChildMessage, { type: T }>;
      return new Promise<Wanted>((resolve, reject) => {
        const take = (message: ChildMessage) => {
          if (message.type !== type) return;
          child.off('message', take);
          resolve(message as Wanted);
        };
        child.on('message', take);
        for (const message of received) take(message);
        void exited.then((code) => reject(new Error(`The ${role} has ended with code ${code}`)));
      });
    },
  };
}
