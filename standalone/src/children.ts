import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Summary } from '@gatehouse/controller';

/** The state of all objects, and in lines what changed since the message before. */
export type StatusMessage = { type: 'status'; lines: string[] } & Summary;

/** A message that a child sends over its channel. */
export type ChildMessage =
  | { type: 'listening'; grpcPort?: number; adminPort: number; ports?: number[] }
  | { type: 'ready'; ports: number[]; refused?: string }
  | StatusMessage;

export type Role = 'controller' | 'dataplane';

/** How a child ended: by itself with a code, or by a signal. */
export type Ending = { code: number | null; signal: NodeJS.Signals | null };

export type Child = {
  process: ChildProcess;
  /** The first message of that type; rejects with ChildEnded when the child ends before it. */
  message<T extends ChildMessage['type']>(type: T): Promise<Extract<ChildMessage, { type: T }>>;
  ended: Promise<Ending>;
};

export class ChildEnded extends Error {
  /** True when it ended by itself: then it has said why. */
  readonly explained: boolean;

  constructor(role: Role, ending: Ending) {
    super(`the ${role} has ended (${endingText(ending)})`);
    this.explained = ending.signal === null;
  }
}

export function endingText({ code, signal }: Ending): string {
  return signal ?? `code ${code}`;
}

/** Program of a role: its bundle beside ours, or its source in a checkout. */
function programOf(role: Role): string {
  const bundle = fileURLToPath(new URL(`./${role}.mjs`, import.meta.url));
  if (existsSync(bundle)) return bundle;
  return fileURLToPath(new URL(`../../${role}/src/main.ts`, import.meta.url));
}

/** Starts a role as a process of its own; it ends when the channel to us closes. */
export function startChild(role: Role, args: string[], env: Record<string, string>): Child {
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
  const ended = new Promise<Ending>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: 1, signal: null }));
  });
  child.on('message', (message: ChildMessage) => {
    // Only what is waited for from the start on; a status would be kept for ever.
    if (message.type !== 'status') received.push(message);
  });
  return {
    process: child,
    ended,
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
        void ended.then((ending) => reject(new ChildEnded(role, ending)));
      });
    },
  };
}
