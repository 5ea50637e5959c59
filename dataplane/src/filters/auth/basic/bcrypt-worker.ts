import { parentPort } from 'node:worker_threads';
import { bcryptVerify } from 'hash-wasm';
import type { BcryptAnswer, BcryptQuestion } from './bcrypt.ts';

/** The program of the thread that computes bcrypt: tens of milliseconds that no request path can spare. */
parentPort?.on('message', async ({ hash, password }: BcryptQuestion) => {
  parentPort?.postMessage((await bcryptVerify({ hash, password })) satisfies BcryptAnswer);
});
