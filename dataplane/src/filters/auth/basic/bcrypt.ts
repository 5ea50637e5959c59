import { Worker } from 'node:worker_threads';

/** `password` has 1 to 72 bytes. */
export type BcryptQuestion = { hash: string; password: Uint8Array };
export type BcryptAnswer = boolean;

/** Bytes of a password that bcrypt reads; like htpasswd we leave out the rest. */
const readable = 72;

type Pending = { resolve(matches: boolean): void; reject(error: Error): void };

/** Compares passwords with bcrypt hashes on a thread of its own, one after the other. */
export type Bcrypt = {
  /** @throws Error when the thread fails; the next call starts another. */
  matches(password: Uint8Array, hash: string): Promise<boolean>;
};

/** The thread is started by the first comparison, and never keeps the process alive. */
export function createBcrypt(): Bcrypt {
  let worker: Worker | undefined;
  let pending: Pending[] = [];

  function start(): Worker {
    const started = new Worker(new URL(workerFile(import.meta.url), import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: 32 },
    });
    const failed = (error: unknown) => {
      if (worker === started) worker = undefined;
      const waiting = pending;
      pending = [];
      for (const { reject } of waiting) reject(error instanceof Error ? error : new Error('gone'));
    };
    started.on('message', (answer: BcryptAnswer) => pending.shift()?.resolve(answer));
    started.on('error', failed);
    started.on('exit', failed);
    started.unref();
    return started;
  }

  return {
    matches(password, hash) {
      worker ??= start();
      // A copy: of a view the whole buffer behind it would be sent.
      const question: BcryptQuestion = {
        hash,
        password: new Uint8Array(password.subarray(0, readable)),
      };
      worker.postMessage(question);
      return new Promise((resolve, reject) => pending.push({ resolve, reject }));
    },
  };
}

/** Bundled, the worker stands beside the bundle; in development it is a TypeScript file. */
function workerFile(url: string): string {
  return url.endsWith('.ts') ? './bcrypt-worker.ts' : './dataplane-bcrypt.mjs';
}
