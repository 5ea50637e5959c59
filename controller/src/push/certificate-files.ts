import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import { datesOf, type Pair, unsound } from './pair.ts';

export interface FilesOptions {
  /** PEM files. */
  certificate: string;
  key: string;
  /** Called with each pair that is to be served. */
  use(pair: Pair): void;
  log: Pick<Logger, 'info' | 'warn'>;
  /** Milliseconds between two looks. */
  interval?: number;
}

/**
 * Serves by a pair of files and looks again and again whether they have changed: a mounted Secret is
 * replaced under the same name. A pair that does not fit together, as when only one file has been
 * written, is not used.
 * @throws Error when the first pair cannot be used.
 */
export async function followFiles(options: FilesOptions): Promise<{ close(): Promise<void> }> {
  const { certificate, key, use, log, interval = 5000 } = options;
  let used = await read().catch((error: Error) => {
    throw new Error(`Cannot use the certificate in "${certificate}": ${error.message}`);
  });
  let told: string | undefined;
  let running: Promise<void> | undefined;

  async function read(): Promise<Pair> {
    const [first, second] = await Promise.all([
      readFile(certificate, 'utf8'),
      readFile(key, 'utf8'),
    ]);
    const pair = { certificate: first, key: second };
    const reason = unsound(pair);
    if (reason !== undefined) throw new Error(reason);
    return pair;
  }

  async function look(): Promise<void> {
    try {
      const pair = await read();
      told = undefined;
      if (pair.certificate === used.certificate && pair.key === used.key) return;
      used = pair;
      use(pair);
      const until = new Date(datesOf(pair.certificate).notAfter).toISOString();
      log.info(
        `Serves data planes by the new certificate in "${certificate}", valid until ${until}`,
      );
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== told) {
        log.warn(
          `Cannot use the certificate in "${certificate}": ${reason}; the last one stays in use`,
        );
      }
      told = reason;
    }
  }

  use(used);
  const timer = setInterval(() => {
    running ??= look().finally(() => {
      running = undefined;
    });
  }, interval);
  return {
    async close() {
      clearInterval(timer);
      await running;
    },
  };
}
