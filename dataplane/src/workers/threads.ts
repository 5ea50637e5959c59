import { MessageChannel, Worker } from 'node:worker_threads';
import type { FromWorker, ToWorker, WorkerStart } from './messages.ts';
import { serve } from './serve.ts';

/** Somebody who serves: a worker thread, or this very thread behind the same kind of port. */
export type Thread = {
  send(message: ToWorker): void;
  onMessage(take: (message: FromWorker) => void): void;
  terminate(): Promise<unknown>;
  /** Calls back when it has failed and is gone. */
  onExit(listener: (error: Error | undefined) => void): void;
};

export function startThread(workerData: WorkerStart): Thread {
  const worker = new Worker(new URL(workerFile(import.meta.url), import.meta.url), { workerData });
  let failure: Error | undefined;
  worker.on('error', (error) => {
    failure = error instanceof Error ? error : new Error(String(error));
  });
  return {
    send: (message) => worker.postMessage(message),
    onMessage: (take) => worker.on('message', take),
    terminate: () => worker.terminate(),
    onExit: (listener) => worker.on('exit', () => listener(failure)),
  };
}

/**
 * Serves on the calling thread. A data plane with a single thread needs no second isolate: that saves
 * some 25 MiB of memory (docs/adr/0001-data-path.md).
 */
export function startHere(start: WorkerStart): Thread {
  const { port1, port2 } = new MessageChannel();
  serve(port2, start);
  return {
    send: (message) => port1.postMessage(message),
    onMessage: (take) => port1.on('message', take),
    async terminate() {
      port1.close();
    },
    onExit: () => undefined,
  };
}

/** Bundled, the worker stands beside the bundle; in development it is a TypeScript file. */
function workerFile(url: string): string {
  return url.endsWith('.ts') ? './worker.ts' : './dataplane-worker.mjs';
}
